// SPDX-License-Identifier: Apache-2.0
// test_locks: LockTests and EventTests. A lock that is released with somebody waiting is handed to
// him, so it is not seen as free meanwhile; acquire() gives a guard.
//
// Left out: test_repr (no repr), test_ctor_loop, test_ctor_noloop, test_lock_by_with_statement,
// test_lock_doesnt_accept_loop_parameter (Python's signatures).
#include "both_families.hpp"

namespace harrier::test {
namespace {

template <class Mutex>
task<> lock_and_note(Mutex& m, std::string& order, char name) {
  auto guard = co_await m.lock();
  guard.release();
  order += name;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_acquire) {
  typename Family::mutex lock;
  std::string order;
  auto held = co_await lock.lock();
  held.release();
  auto t1 = spawn(lock_and_note(lock, order, '1'));
  auto t2 = spawn(lock_and_note(lock, order, '2'));
  co_await yield();
  EXPECT_EQ(order, "");
  lock.unlock();
  co_await yield();
  EXPECT_EQ(order, "1");
  co_await yield();
  EXPECT_EQ(order, "1");
  auto t3 = spawn(lock_and_note(lock, order, '3'));
  lock.unlock();
  co_await yield();
  EXPECT_EQ(order, "12");
  lock.unlock();
  co_await yield();
  EXPECT_EQ(order, "123");
  EXPECT_TRUE(t1.done());
  EXPECT_TRUE(t2.done());
  EXPECT_TRUE(t3.done());
  lock.unlock();
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_acquire_cancel) {
  typename Family::mutex lock;
  std::string order;
  auto held = co_await lock.lock();
  auto t = spawn(lock_and_note(lock, order, '1'));
  co_await yield();
  t.cancel();
  EXPECT_THROW(co_await t, cancelled);
  held.unlock();
  EXPECT_FALSE(lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_cancel_race) {
  typename Family::mutex lock;
  std::string order;
  auto lockit = [&](char name, bool keep) -> task<> {
    auto guard = co_await lock.lock();
    order += name;
    if (keep) guard.release();
  };
  auto held = co_await lock.lock();
  auto ta = spawn(lockit('a', true));
  auto tb = spawn(lockit('b', true));
  auto tc = spawn(lockit('c', false));
  co_await yield();
  held.unlock();  // granted to a, which is cancelled before it runs
  ta.cancel();
  co_await let_run(3);
  EXPECT_TRUE(ta.done());
  EXPECT_THROW(co_await ta, cancelled);
  EXPECT_EQ(order, "b");
  EXPECT_TRUE(lock.is_locked());
  EXPECT_TRUE(tb.done());
  EXPECT_FALSE(tc.done());
  lock.unlock();
  co_await tc;
  EXPECT_EQ(order, "bc");
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_cancel_release_race) {
  // A task is cancelled in the very turn in which the lock is released to it.
  typename Family::mutex lock;
  auto held = co_await lock.lock();
  std::string order;
  auto body = [&](char name) -> task<> {
    auto guard = co_await lock.lock();
    order += name;
  };
  auto t1 = spawn(body('1'));
  auto t2 = spawn(body('2'));
  co_await yield();
  t1.cancel();
  held.unlock();
  EXPECT_THROW(co_await t1, cancelled);
  co_await t2;
  EXPECT_EQ(order, "2");
  EXPECT_FALSE(lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_finished_waiter_cancelled) {
  typename Family::mutex lock;
  std::string order;
  auto held = co_await lock.lock();
  auto ta = spawn(lock_and_note(lock, order, 'a'));
  auto tb = spawn(lock_and_note(lock, order, 'b'));
  co_await yield();
  held.unlock();
  ta.cancel();
  tb.cancel();
  EXPECT_THROW(co_await ta, cancelled);
  EXPECT_THROW(co_await tb, cancelled);
  EXPECT_EQ(order, "");
  EXPECT_FALSE(lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_release_not_acquired) {
  typename Family::mutex lock;
  EXPECT_THROW(lock.unlock(), not_locked);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_release_no_waiters) {
  typename Family::mutex lock;
  auto guard = co_await lock.lock();
  EXPECT_TRUE(lock.is_locked());
  guard.release();
  lock.unlock();
  EXPECT_FALSE(lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_lock_context_manager) {
  typename Family::mutex lock;
  EXPECT_FALSE(lock.is_locked());
  {
    auto guard = co_await lock.lock();
    EXPECT_TRUE(lock.is_locked());
  }
  EXPECT_FALSE(lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_event_wait) {
  typename Family::event ev;
  EXPECT_FALSE(ev.is_set());
  std::string order;
  auto c = [&](char name) -> task<> {
    co_await ev.wait();
    order += name;
  };
  auto t1 = spawn(c('1'));
  auto t2 = spawn(c('2'));
  co_await yield();
  EXPECT_EQ(order, "");
  auto t3 = spawn(c('3'));
  ev.set();
  co_await yield();
  EXPECT_EQ(order, "312") << "who comes when it is set passes those who are being woken";
  co_await t1;
  co_await t2;
  co_await t3;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_event_wait_on_set) {
  typename Family::event ev;
  ev.set();
  bool others_ran = false;
  this_loop().call_soon([&] { others_ran = true; });
  co_await ev.wait();
  EXPECT_FALSE(others_ran);
  co_await yield();
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_event_wait_cancel) {
  typename Family::event ev;
  auto body = [&]() -> task<> { co_await ev.wait(); };
  auto wait = spawn(body());
  co_await yield();
  wait.cancel();
  EXPECT_THROW(co_await wait, cancelled);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_event_clear) {
  typename Family::event ev;
  EXPECT_FALSE(ev.is_set());
  ev.set();
  EXPECT_TRUE(ev.is_set());
  ev.clear();
  EXPECT_FALSE(ev.is_set());
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_event_clear_with_waiters) {
  typename Family::event ev;
  int woken = 0;
  auto c1 = [&]() -> task<> {
    co_await ev.wait();
    ++woken;
  };
  auto t = spawn(c1());
  co_await yield();
  ev.set();
  ev.clear();
  EXPECT_FALSE(ev.is_set());
  ev.set();
  ev.set();
  ev.clear();
  EXPECT_FALSE(t.done());
  co_await yield();
  EXPECT_TRUE(t.done());
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace harrier::test
