// SPDX-License-Identifier: Apache-2.0
// test_locks: SemaphoreTests. A unit goes to the first who waits at once, so locked() is true while
// anybody waits.
//
// Left out: test_repr, test_ctor_loop, test_ctor_noloop, test_semaphore_doesnt_accept_loop_parameter.
#include "both_families.hpp"

namespace harrier::test {
namespace {

template <class Semaphore>
task<> acquire_and_note(Semaphore& sem, std::string& order, char name) {
  co_await sem.acquire();
  order += name;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_initial_value_zero) {
  typename Family::semaphore sem(0);
  EXPECT_TRUE(sem.is_locked());
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_value) {
  try {
    typename Family::semaphore sem(-1);
    ADD_FAILURE();
  } catch (const invalid_count& error) {
    EXPECT_STREQ(error.what(), "a semaphore has no negative number of units");
  }
  typename Family::semaphore sem(1);
  EXPECT_THROW(sem.release(-1), invalid_count);
  EXPECT_EQ(sem.available(), 1);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire) {
  typename Family::semaphore sem(3);
  std::string order;
  co_await sem.acquire();
  co_await sem.acquire();
  EXPECT_FALSE(sem.is_locked());
  auto t1 = spawn(acquire_and_note(sem, order, '1'));
  auto t2 = spawn(acquire_and_note(sem, order, '2'));
  auto t3 = spawn(acquire_and_note(sem, order, '3'));
  co_await yield();
  EXPECT_EQ(order, "1");
  EXPECT_TRUE(sem.is_locked());
  auto t4 = spawn(acquire_and_note(sem, order, '4'));
  sem.release();
  sem.release();
  EXPECT_EQ(sem.available(), 0) << "both units are handed over";
  co_await yield();
  EXPECT_EQ(order, "123");
  sem.release();
  co_await t4;
  EXPECT_EQ(order, "1234");
  co_await t1;
  co_await t2;
  co_await t3;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_cancel) {
  typename Family::semaphore sem(1);
  std::string order;
  co_await sem.acquire();
  auto t = spawn(acquire_and_note(sem, order, '1'));
  co_await yield();
  t.cancel();
  EXPECT_THROW(co_await t, cancelled);
  sem.release();
  EXPECT_FALSE(sem.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_cancel_before_awoken) {
  typename Family::semaphore sem(0);
  std::string order;
  auto t1 = spawn(acquire_and_note(sem, order, '1'));
  auto t2 = spawn(acquire_and_note(sem, order, '2'));
  auto t3 = spawn(acquire_and_note(sem, order, '3'));
  auto t4 = spawn(acquire_and_note(sem, order, '4'));
  co_await yield();
  t1.cancel();
  t2.cancel();
  sem.release();
  co_await let_run(3);
  EXPECT_EQ(order, "3");
  t4.cancel();
  EXPECT_THROW(co_await t1, cancelled);
  EXPECT_THROW(co_await t2, cancelled);
  co_await t3;
  EXPECT_THROW(co_await t4, cancelled);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_hang) {
  typename Family::semaphore sem(0);
  std::string order;
  auto t1 = spawn(acquire_and_note(sem, order, '1'));
  auto t2 = spawn(acquire_and_note(sem, order, '2'));
  co_await yield();
  t1.cancel();
  sem.release();
  co_await let_run(3);
  EXPECT_TRUE(sem.is_locked());
  EXPECT_TRUE(t2.done());
  EXPECT_THROW(co_await t1, cancelled);
  co_await t2;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_no_hang) {
  typename Family::semaphore sem(1);
  auto c1 = [&]() -> task<> {
    auto permit = co_await sem.acquire_permit();
    co_await yield();
  };
  auto c2 = [&]() -> task<> { auto permit = co_await sem.acquire_permit(); };
  auto t1 = spawn(c1());
  auto t2 = spawn(c2());
  co_await yield();
  t1.cancel();
  t2.cancel();
  EXPECT_THROW(co_await t1, cancelled);
  EXPECT_THROW(co_await t2, cancelled);
  auto permit = co_await sem.acquire_permit();
  EXPECT_TRUE(sem.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_release_not_acquired) {
  typename Family::bounded_semaphore sem(1);
  try {
    sem.release();
    ADD_FAILURE();
  } catch (const too_many_releases& error) {
    EXPECT_STREQ(error.what(), "a semaphore was released more often than it was acquired");
  }
  co_await sem.acquire();
  EXPECT_THROW(sem.release(2), too_many_releases);
  sem.release();
  EXPECT_EQ(sem.available(), 1);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_release_no_waiters) {
  typename Family::semaphore sem(1);
  co_await sem.acquire();
  EXPECT_TRUE(sem.is_locked());
  sem.release();
  EXPECT_FALSE(sem.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_fifo_order) {
  typename Family::semaphore sem(1);
  std::string order;
  auto coro = [&](char name) -> task<> {
    co_await sem.acquire();
    order += name;
    co_await sleep_for(10ms);
    sem.release();
    co_await sem.acquire();
    order += name;
    order += '!';
    sem.release();
  };
  auto t1 = spawn(coro('1'));
  auto t2 = spawn(coro('2'));
  auto t3 = spawn(coro('3'));
  co_await t1;
  co_await t2;
  co_await t3;
  EXPECT_EQ(order, "1231!2!3!");
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_fifo_order_2) {
  typename Family::semaphore sem(1);
  std::string order;
  auto c1 = [&]() -> task<> {
    co_await sem.acquire();
    order += '1';
  };
  auto c2 = [&]() -> task<> {
    co_await sem.acquire();
    order += '2';
    sem.release();
    co_await sem.acquire();
    order += '4';
  };
  auto c3 = [&]() -> task<> {
    co_await sem.acquire();
    order += '3';
    sem.release();
  };
  auto t1 = spawn(c1());
  auto t2 = spawn(c2());
  auto t3 = spawn(c3());
  co_await yield();
  sem.release();  // twice there: 2 and 3 then have a unit each, and here 2 need not wait for 3 to run
  co_await t1;
  co_await t2;
  co_await t3;
  EXPECT_EQ(order, "1234");
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_fifo_order_3) {
  typename Family::semaphore sem(0);
  std::string order;
  auto t1 = spawn(acquire_and_note(sem, order, '1'));
  auto t2 = spawn(acquire_and_note(sem, order, '2'));
  auto t3 = spawn(acquire_and_note(sem, order, '3'));
  co_await yield();
  t1.cancel();
  co_await yield();
  sem.release();
  sem.release();
  co_await let_run(2);
  EXPECT_THROW(co_await t1, cancelled);
  co_await t2;
  co_await t3;
  EXPECT_EQ(order, "23");
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_semaphore_acquire_fifo_order_4) {
  // Released three times for two who wait: the third comes without waiting.
  typename Family::semaphore sem(1);
  std::string order;
  co_await sem.acquire();
  auto t1 = spawn(acquire_and_note(sem, order, '1'));
  auto t2 = spawn(acquire_and_note(sem, order, '2'));
  co_await yield();
  sem.release(3);
  EXPECT_EQ(sem.available(), 1);
  auto t3 = spawn(acquire_and_note(sem, order, '3'));
  co_await t1;
  co_await t2;
  co_await t3;
  EXPECT_EQ(order, "123");
}

}  // namespace
}  // namespace harrier::test
