// SPDX-License-Identifier: Apache-2.0
// The mutex: one at a time, first in first out, and no cancel loses it.
#include "family.hpp"

namespace harrier::test {
namespace {

template <class Family>
class mutex_test : public on_runner<Family> {};
TYPED_TEST_SUITE(mutex_test, families);

TYPED_TEST(mutex_test, uncontended_lock_does_not_suspend) {
  auto main = []() -> task<> {
    typename TypeParam::mutex m;
    bool others_ran = false;
    this_loop().call_soon([&] { others_ran = true; });
    {
      auto guard = co_await m.lock();
      EXPECT_TRUE(m.is_locked());
      EXPECT_TRUE(static_cast<bool>(guard));
      EXPECT_FALSE(m.try_lock());
    }
    EXPECT_FALSE(m.is_locked());
    EXPECT_TRUE(m.try_lock());
    EXPECT_FALSE(m.is_locked()) << "the guard that was not kept has unlocked";
    EXPECT_FALSE(others_ran);
    co_await yield();
  };
  this->r.run(main());
}

TYPED_TEST(mutex_test, waiters_get_it_in_order_and_nobody_overtakes) {
  std::string order;
  auto main = [&]() -> task<> {
    typename TypeParam::mutex m;
    auto waiter = [&](char name) -> task<> {
      auto guard = co_await m.lock();
      order += name;
      co_await yield();
    };
    auto held = co_await m.lock();
    auto a = spawn(waiter('a'));
    auto b = spawn(waiter('b'));
    co_await yield();
    held.unlock();
    EXPECT_TRUE(m.is_locked()) << "handed to a";
    EXPECT_FALSE(m.try_lock());
    auto c = spawn(waiter('c'));
    co_await a;
    co_await b;
    co_await c;
    EXPECT_FALSE(m.is_locked());
  };
  this->r.run(main());
  EXPECT_EQ(order, "abc");
}

TYPED_TEST(mutex_test, cancel_while_queued_leaves_the_line) {
  std::string order;
  auto main = [&]() -> task<> {
    typename TypeParam::mutex m;
    auto waiter = [&](char name) -> task<> {
      auto guard = co_await m.lock();
      order += name;
    };
    auto held = co_await m.lock();
    auto a = spawn(waiter('a'));
    auto b = spawn(waiter('b'));
    co_await yield();
    a.cancel("enough");
    try {
      co_await a;
      ADD_FAILURE();
    } catch (const cancelled& reason) {
      EXPECT_STREQ(reason.what(), "enough");
    }
    held.unlock();
    co_await b;
  };
  this->r.run(main());
  EXPECT_EQ(order, "b");
}

TYPED_TEST(mutex_test, cancel_after_the_grant_hands_it_on) {
  std::string order;
  auto main = [&]() -> task<> {
    typename TypeParam::mutex m;
    auto waiter = [&](char name) -> task<> {
      auto guard = co_await m.lock();
      order += name;
    };
    auto held = co_await m.lock();
    auto a = spawn(waiter('a'));
    auto b = spawn(waiter('b'));
    co_await yield();
    held.unlock();
    a.cancel();
    EXPECT_THROW(co_await a, cancelled);
    co_await b;
    EXPECT_FALSE(m.is_locked());
  };
  this->r.run(main());
  EXPECT_EQ(order, "b");
}

TYPED_TEST(mutex_test, cancel_due_before_a_wait_throws_and_before_a_ready_lock_does_not) {
  auto main = [&]() -> task<> {
    typename TypeParam::mutex m;
    bool got_free_one = false;
    auto body = [&]() -> task<> {
      co_await yield();
      for (;;) {  // until the cancel is due
        auto guard = co_await m.lock();
        got_free_one = true;
        auto again = m.try_lock();
        EXPECT_FALSE(again);
        guard.unlock();
        co_await yield();
      }
    };
    auto t = spawn(body());
    co_await yield();
    co_await yield();
    t.cancel();
    EXPECT_THROW(co_await t, cancelled);
    EXPECT_TRUE(got_free_one);
    EXPECT_FALSE(m.is_locked());
  };
  this->r.run(main());
}

TYPED_TEST(mutex_test, unlock_of_what_is_not_locked_is_refused) {
  typename TypeParam::mutex m;
  try {
    m.unlock();
    ADD_FAILURE();
  } catch (const not_locked& error) {
    EXPECT_STREQ(error.what(), "mutex::unlock: the mutex is not locked");
  }
  auto guard = m.try_lock();
  guard.unlock();
  EXPECT_THROW(guard.unlock(), not_locked);
  guard = m.try_lock();
  guard.release()->unlock();
  EXPECT_FALSE(m.is_locked());
}

TYPED_TEST(mutex_test, destroyed_by_who_got_it_last) {
  auto main = [&]() -> task<> {
    auto m = std::make_unique<typename TypeParam::mutex>();
    auto waiter = [&]() -> task<> {
      auto guard = co_await m->lock();
      guard.unlock();
      m.reset();
    };
    auto guard = co_await m->lock();
    auto t = spawn(waiter());
    co_await yield();
    guard.unlock();
    co_await t;
    EXPECT_EQ(m, nullptr);
  };
  this->r.run(main());
}

using mutex_death_test = testing::Test;

TEST(mutex_death_test, destroying_one_that_is_waited_for_ends_the_program) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto die = [] {
    runner r;
    auto m = std::make_unique<local_mutex>();
    auto waiter = [&]() -> task<> { auto guard = co_await m->lock(); };
    auto main = [&]() -> task<> {
      auto held = co_await m->lock();
      auto t = spawn(waiter());
      co_await yield();
      m.reset();
    };
    r.run(main());
  };
  EXPECT_DEATH(die(), "a mutex was destroyed while coroutines waited for it");
}

TEST(local_mutex, another_loop_is_refused) {
  local_mutex m;
  auto lock = [&]() -> task<> { auto guard = co_await m.lock(); };
  runner first;
  first.run(lock());
  first.run(lock());  // the same loop
  runner second;
  try {
    second.run(lock());
    ADD_FAILURE();
  } catch (const foreign_loop& error) {
    EXPECT_EQ(std::string(error.what()).rfind("local_mutex was used on another loop", 0), 0u);
  }
  EXPECT_TRUE(m.try_lock()) << "ordinary code may";
}

TEST(mutex, goes_with_any_loop) {
  mutex m;
  auto lock = [&]() -> task<> { auto guard = co_await m.lock(); };
  run(lock());
  run(lock());
}

}  // namespace
}  // namespace harrier::test
