// SPDX-License-Identifier: Apache-2.0
// test_locks: ConditionTests. A condition always names its mutex; a notified waiter resumes once, when
// it has the mutex.
//
// Left out: test_repr, test_context_manager, test_explicit_lock's check of the types, test_release_*
// and test_acquire_* of the condition, which are those of its mutex.
#include "both_families.hpp"

namespace harrier::test {
namespace {

/// A mutex and its condition, and a task that waits on it and keeps the mutex.
template <class Family>
class monitor {
 public:
  task<> wait_and_note(char name) {
    auto guard = co_await lock.lock();
    guard.release();
    co_await cond.wait();
    order += name;
  }

  typename Family::mutex lock;
  typename Family::condition cond{lock};
  std::string order;
};

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_wait) {
  monitor<Family> m;
  auto t1 = spawn(m.wait_and_note('1'));
  auto t2 = spawn(m.wait_and_note('2'));
  auto t3 = spawn(m.wait_and_note('3'));
  co_await yield();
  EXPECT_FALSE(m.lock.is_locked());
  auto guard = co_await m.lock.lock();
  guard.release();
  m.cond.notify();
  co_await yield();
  EXPECT_EQ(m.order, "");
  m.lock.unlock();
  co_await yield();
  EXPECT_EQ(m.order, "1");
  EXPECT_TRUE(m.lock.is_locked()) << "1 has it";
  m.cond.notify(2);
  co_await yield();
  EXPECT_EQ(m.order, "1");
  m.lock.unlock();
  co_await yield();
  EXPECT_EQ(m.order, "12");
  EXPECT_TRUE(m.lock.is_locked());
  m.lock.unlock();
  co_await yield();
  EXPECT_EQ(m.order, "123");
  EXPECT_TRUE(m.lock.is_locked());
  m.lock.unlock();
  co_await t1;
  co_await t2;
  co_await t3;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_wait_cancel) {
  monitor<Family> m;
  auto body = [&]() -> task<bool> {
    auto guard = co_await m.lock.lock();
    bool held_it = false;
    try {
      co_await m.cond.wait();
    } catch (const cancelled&) {
      held_it = m.lock.is_locked();
      throw;
    }
    co_return held_it;
  };
  auto wait = spawn(body());
  co_await yield();
  EXPECT_FALSE(m.lock.is_locked());
  wait.cancel();
  EXPECT_THROW(co_await wait, cancelled);
  EXPECT_FALSE(m.lock.is_locked()) << "and the guard has given it back";
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_wait_cancel_contested) {
  monitor<Family> m;
  bool held_it = false;
  auto body = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    try {
      co_await m.cond.wait();
    } catch (const cancelled&) {
      held_it = m.lock.is_locked();
      throw;
    }
  };
  auto wait = spawn(body());
  co_await yield();
  auto guard = co_await m.lock.lock();
  wait.cancel();
  co_await let_run(3);
  EXPECT_FALSE(wait.done()) << "it waits for the mutex, cancelled or not";
  guard.unlock();
  EXPECT_THROW(co_await wait, cancelled);
  EXPECT_TRUE(held_it);
  EXPECT_FALSE(m.lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_wait_cancel_after_notify) {
  monitor<Family> m;
  bool waited = false;
  auto body = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    co_await m.cond.wait();
    waited = true;
  };
  auto t = spawn(body());
  co_await yield();
  auto guard = co_await m.lock.lock();
  m.cond.notify();
  co_await yield();
  t.cancel();
  co_await yield();
  guard.unlock();
  EXPECT_THROW(co_await t, cancelled);
  EXPECT_FALSE(waited);
  EXPECT_FALSE(m.lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_wait_unacquired) {
  monitor<Family> m;
  try {
    co_await m.cond.wait();
    ADD_FAILURE();
  } catch (const not_locked& error) {
    EXPECT_STREQ(error.what(), "condition::wait: the mutex is not locked");
  }
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_wait_for) {
  monitor<Family> m;
  bool presult = false;
  std::string order;
  auto c1 = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    auto holds = [&] { return presult; };
    auto op = m.cond.wait_for(holds);
    EXPECT_TRUE(co_await op);
    order += '1';
  };
  auto t = spawn(c1());
  co_await yield();
  EXPECT_EQ(order, "");
  {
    auto guard = co_await m.lock.lock();
    m.cond.notify();
  }
  co_await let_run(2);
  EXPECT_EQ(order, "");
  {
    auto guard = co_await m.lock.lock();
    presult = true;
    m.cond.notify();
  }
  co_await t;
  EXPECT_EQ(order, "1");
  EXPECT_FALSE(m.lock.is_locked());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_wait_for_unacquired) {
  monitor<Family> m;
  auto three = [] { return 3; };
  auto at_once = m.cond.wait_for(three);
  EXPECT_EQ(co_await at_once, 3);
  auto never = [] { return false; };
  auto refused = m.cond.wait_for(never);
  EXPECT_THROW(co_await refused, not_locked);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_notify) {
  monitor<Family> m;
  auto c = [&](char name) -> task<> {
    auto guard = co_await m.lock.lock();
    co_await m.cond.wait();
    m.order += name;
  };
  auto t1 = spawn(c('1'));
  auto t2 = spawn(c('2'));
  auto t3 = spawn(c('3'));
  co_await yield();
  {
    auto guard = co_await m.lock.lock();
    m.cond.notify(1);
  }
  co_await let_run(3);
  EXPECT_EQ(m.order, "1");
  {
    auto guard = co_await m.lock.lock();
    m.cond.notify(1);
    m.cond.notify(2048);
  }
  co_await let_run(4);
  EXPECT_EQ(m.order, "123");
  co_await t1;
  co_await t2;
  co_await t3;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_notify_all) {
  monitor<Family> m;
  auto c = [&](char name) -> task<> {
    auto guard = co_await m.lock.lock();
    co_await m.cond.wait();
    m.order += name;
  };
  auto t1 = spawn(c('1'));
  auto t2 = spawn(c('2'));
  co_await yield();
  {
    auto guard = co_await m.lock.lock();
    m.cond.notify_all();
    m.cond.notify_all();
  }
  co_await t1;
  co_await t2;
  EXPECT_EQ(m.order, "12");
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_notify_unacquired) {
  monitor<Family> m;
  EXPECT_THROW(m.cond.notify(), not_locked);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_notify_all_unacquired) {
  monitor<Family> m;
  EXPECT_THROW(m.cond.notify_all(), not_locked);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_explicit_lock) {
  // Two conditions of one mutex.
  monitor<Family> m;
  typename Family::condition other(m.lock);
  auto t = spawn(m.wait_and_note('1'));
  co_await yield();
  auto guard = co_await m.lock.lock();
  other.notify_all();
  m.cond.notify();
  guard.unlock();
  co_await t;
  EXPECT_EQ(m.order, "1");
  EXPECT_TRUE(m.lock.is_locked());
  m.lock.unlock();
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_timeout_in_block) {
  monitor<Family> m;
  auto body = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    co_await m.cond.wait();
  };
  auto t = spawn(body());
  co_await sleep_for(10ms);
  t.cancel("timeout");
  EXPECT_THROW(co_await t, cancelled);
  EXPECT_TRUE(m.lock.try_lock());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_cancelled_error_wakeup) {
  monitor<Family> m;
  std::string message;
  auto body = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    try {
      co_await m.cond.wait();
    } catch (const cancelled& error) {
      message = error.what();
      throw;
    }
  };
  auto t = spawn(body());
  co_await yield();
  t.cancel("foo");
  EXPECT_THROW(co_await t, cancelled);
  EXPECT_EQ(message, "foo");
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_cancelled_error_re_aquire) {
  monitor<Family> m;
  std::string message;
  int thrown = 0;
  auto body = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    try {
      co_await m.cond.wait();
    } catch (const cancelled& error) {
      message = error.what();
      ++thrown;
      EXPECT_TRUE(m.lock.is_locked());
    }
    co_await yield();  // no second throw
  };
  auto t = spawn(body());
  co_await yield();
  auto guard = co_await m.lock.lock();
  m.cond.notify();
  co_await yield();
  t.cancel("foo");
  co_await yield();
  t.cancel("bar");
  co_await yield();
  EXPECT_EQ(thrown, 0);
  guard.unlock();
  co_await t;
  EXPECT_EQ(message, "bar") << "the latest";
  EXPECT_EQ(thrown, 1);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_cancelled_wakeup) {
  // The notify of a task that is cancelled before it runs goes to the next.
  monitor<Family> m;
  int value = 0;
  auto consumer = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    auto has_one = [&] { return value > 0; };
    auto op = m.cond.wait_for(has_one);
    co_await op;
    --value;
  };
  auto t1 = spawn(consumer());
  auto t2 = spawn(consumer());
  auto t3 = spawn(consumer());
  co_await yield();
  auto guard = co_await m.lock.lock();
  value = 2;
  m.cond.notify(2);
  guard.unlock();
  t1.cancel();
  EXPECT_THROW(co_await t1, cancelled);
  co_await t2;
  co_await t3;
  EXPECT_EQ(value, 0);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_condition_cancelled_wakeup_relock) {
  // The same, cancelled while it waits for the mutex.
  monitor<Family> m;
  int value = 0;
  auto consumer = [&]() -> task<> {
    auto guard = co_await m.lock.lock();
    auto has_one = [&] { return value > 0; };
    auto op = m.cond.wait_for(has_one);
    co_await op;
    --value;
  };
  auto t1 = spawn(consumer());
  auto t2 = spawn(consumer());
  auto t3 = spawn(consumer());
  co_await yield();
  auto guard = co_await m.lock.lock();
  value = 2;
  m.cond.notify(2);
  co_await yield();
  t1.cancel();
  co_await yield();
  guard.unlock();
  EXPECT_THROW(co_await t1, cancelled);
  co_await t2;
  co_await t3;
  EXPECT_EQ(value, 0);
}

}  // namespace

TEST(test_locks, test_condition_ambiguous_loops) {
  // A mutex of another loop is refused, waiting or not.
  local_mutex lock;
  local_condition cond(lock);
  auto take = [&]() -> task<> {
    auto guard = co_await lock.lock();
    guard.release();
  };
  auto wait = [&]() -> task<> { co_await cond.wait(); };
  runner first;
  first.run(take());
  runner second;
  EXPECT_THROW(second.run(wait()), foreign_loop);
  lock.unlock();
}

}  // namespace harrier::test
