// SPDX-License-Identifier: Apache-2.0
// What asyncio does not have: shared mutex, auto-reset event, latch, wait group, once.
#include "family.hpp"

namespace harrier::test {
namespace {

template <class Family>
class primitives_test : public on_runner<Family> {};
TYPED_TEST_SUITE(primitives_test, families);

TYPED_TEST(primitives_test, shared_mutex_lets_readers_in_together_and_writers_alone) {
  std::string order;
  auto main = [&]() -> task<> {
    typename TypeParam::shared_mutex m;
    auto read = [&](char name) -> task<> {
      auto guard = co_await m.lock_shared();
      order += name;
      co_await yield();
    };
    auto write = [&](char name) -> task<> {
      auto guard = co_await m.lock();
      EXPECT_TRUE(m.is_locked());
      EXPECT_EQ(m.readers(), 0u);
      order += name;
      co_await yield();
    };
    auto first = co_await m.lock_shared();
    EXPECT_TRUE(m.try_lock_shared());
    EXPECT_FALSE(m.try_lock());
    auto a = spawn(write('A'));
    auto b = spawn(read('b'));
    auto c = spawn(read('c'));
    auto d = spawn(write('D'));
    co_await yield();
    EXPECT_FALSE(m.try_lock_shared()) << "nobody passes the writer that waits";
    first.unlock();
    co_await a;
    EXPECT_EQ(m.readers(), 2u);
    EXPECT_EQ(order, "Abc") << "both readers, not the writer behind them";
    co_await b;
    co_await c;
    co_await d;
    EXPECT_EQ(order, "AbcD");
    EXPECT_TRUE(m.try_lock());
  };
  this->r.run(main());
}

TYPED_TEST(primitives_test, shared_mutex_cancelled_writer_lets_the_readers_behind_it_in) {
  std::string order;
  auto main = [&]() -> task<> {
    typename TypeParam::shared_mutex m;
    auto read = [&]() -> task<> {
      auto guard = co_await m.lock_shared();
      order += 'r';
    };
    auto write = [&]() -> task<> { auto guard = co_await m.lock(); };
    auto first = co_await m.lock_shared();
    auto w = spawn(write());
    auto behind = spawn(read());
    co_await yield();
    w.cancel();
    EXPECT_THROW(co_await w, cancelled);
    co_await behind;
    EXPECT_EQ(order, "r");
    auto again = spawn(write());
    auto granted = spawn(read());
    co_await yield();
    first.unlock();  // granted to the writer, which is cancelled before it runs
    again.cancel();
    EXPECT_THROW(co_await again, cancelled);
    co_await granted;
    EXPECT_EQ(order, "rr");
    EXPECT_THROW(first.unlock(), not_locked);
  };
  this->r.run(main());
}

TYPED_TEST(primitives_test, auto_reset_event_lets_one_through_and_a_cancel_hands_it_on) {
  std::string order;
  auto main = [&]() -> task<> {
    typename TypeParam::auto_reset_event e;
    auto wait = [&](char name) -> task<> {
      co_await e.wait();
      order += name;
    };
    e.set();
    e.set();
    EXPECT_TRUE(e.try_wait());
    EXPECT_FALSE(e.try_wait()) << "two sets are one";
    auto a = spawn(wait('a'));
    auto b = spawn(wait('b'));
    auto c = spawn(wait('c'));
    co_await yield();
    e.set();
    a.cancel();
    co_await let_run(2);
    EXPECT_EQ(order, "b");
    EXPECT_FALSE(e.is_set());
    c.cancel();
    EXPECT_THROW(co_await a, cancelled);
    EXPECT_THROW(co_await c, cancelled);
    co_await b;
    e.set();
    EXPECT_TRUE(e.is_set());
    co_await e.wait();
    EXPECT_FALSE(e.is_set());
  };
  this->r.run(main());
}

TYPED_TEST(primitives_test, latch_opens_once) {
  int opened = 0;
  auto main = [&]() -> task<> {
    typename TypeParam::latch l(3);
    auto wait = [&]() -> task<> {
      co_await l.wait();
      ++opened;
    };
    auto a = spawn(wait());
    auto b = spawn(wait());
    co_await yield();
    l.count_down(2);
    EXPECT_FALSE(l.try_wait());
    auto here = l.arrive_and_wait();
    co_await here;
    co_await a;
    co_await b;
    EXPECT_EQ(opened, 2);
    EXPECT_TRUE(l.try_wait());
    try {
      l.count_down();
      ADD_FAILURE();
    } catch (const too_many_releases& error) {
      EXPECT_STREQ(error.what(), "a latch or wait group was counted down below 0");
    }
  };
  this->r.run(main());
  EXPECT_THROW(typename TypeParam::latch(-1), invalid_count);
}

TYPED_TEST(primitives_test, wait_group_wakes_at_each_zero) {
  int rounds = 0;
  auto main = [&]() -> task<> {
    typename TypeParam::wait_group g;
    co_await g.wait();
    auto wait = [&]() -> task<> {
      co_await g.wait();
      ++rounds;
    };
    g.add(2);
    auto a = spawn(wait());
    auto cancelled_one = spawn(wait());
    co_await yield();
    cancelled_one.cancel();
    EXPECT_THROW(co_await cancelled_one, cancelled);
    EXPECT_THROW(g.add(-1), invalid_count);
    g.done();
    g.done();
    g.add();
    co_await a;
    EXPECT_EQ(rounds, 1) << "woken, although the count has risen again";
    g.done();
    EXPECT_THROW(g.done(), too_many_releases);
    EXPECT_EQ(g.count(), 0);
  };
  this->r.run(main());
}

TYPED_TEST(primitives_test, once_runs_once_and_a_failure_leaves_it_to_the_next) {
  int runs = 0;
  auto main = [&]() -> task<> {
    typename TypeParam::once_flag flag;
    auto init = [&]() -> task<> {
      ++runs;
      co_await yield();
      if (runs == 1) throw boom();
    };
    auto caller = [&]() -> task<> {
      auto op = flag.call(init);
      co_await op;
    };
    auto a = spawn(caller());
    auto b = spawn(caller());
    auto c = spawn(caller());
    EXPECT_THROW(co_await a, boom);
    co_await b;
    co_await c;
    EXPECT_TRUE(flag.is_done());
    auto again = flag.call(init);
    co_await again;
    EXPECT_EQ(runs, 2);
  };
  this->r.run(main());
}

TYPED_TEST(primitives_test, wakes_from_ordinary_code_between_two_runs) {
  typename TypeParam::event e;
  bool woken = false;
  auto wait = [&]() -> task<> {
    co_await e.wait();
    woken = true;
  };
  auto start = [&]() -> task<> {
    spawn(wait()).detach();
    co_await yield();
  };
  this->r.run(start());
  e.set();
  EXPECT_FALSE(woken);
  auto rest = []() -> task<> { co_await let_run(2); };
  this->r.run(rest());
  EXPECT_TRUE(woken);
}

TYPED_TEST(primitives_test, close_cancels_who_waits_on_them) {
  auto primitives = [&]() -> task<> {
    typename TypeParam::mutex m;
    typename TypeParam::condition c(m);
    typename TypeParam::barrier b(3);
    typename TypeParam::semaphore s(0);
    auto in_condition = [&]() -> task<> {
      auto guard = co_await m.lock();
      co_await c.wait();
    };
    auto in_barrier = [&]() -> task<> { co_await b.wait(); };
    auto in_semaphore = [&]() -> task<> { co_await s.acquire(); };
    auto x = spawn(in_condition());
    auto y = spawn(in_barrier());
    auto z = spawn(in_semaphore());
    EXPECT_THROW(co_await x, cancelled);
    EXPECT_THROW(co_await y, cancelled);
    EXPECT_THROW(co_await z, cancelled);
  };
  auto start = [&]() -> task<> {
    spawn(primitives()).detach();
    co_await let_run(3);
  };
  this->r.run(start());
  this->r.close();
}

// The guard in the frame goes with the frame: it must not unlock what somebody else holds.
TYPED_TEST(primitives_test, a_wait_that_is_destroyed_does_not_unlock_anothers_mutex) {
  for (const bool is_notified : {false, true}) {
    error_log log;
    runner_options options = on(this->time);
    options.exception_handler = std::ref(log);
    runner closing(options);
    typename TypeParam::mutex m;
    typename TypeParam::condition c(m);
    auto in_condition = [&]() -> task<> {
      auto guard = co_await m.lock();
      co_await c.wait();
    };
    auto start = [&]() -> task<> {
      spawn(in_condition()).detach();
      co_await let_run(2);
    };
    closing.run(start());
    auto held_elsewhere = m.try_lock();
    ASSERT_TRUE(held_elsewhere);
    if (is_notified) c.notify();
    closing.close();
    ASSERT_GE(log.size(), 1u);
    EXPECT_TRUE(m.is_locked());
    EXPECT_FALSE(m.try_lock());
    held_elsewhere.unlock();
    EXPECT_FALSE(m.is_locked());
    EXPECT_TRUE(m.try_lock());
  }
}

// What one frame gives back while it is destroyed is not given to another that will be.
TYPED_TEST(primitives_test, nothing_stays_taken_by_tasks_that_close_destroys) {
  error_log log;
  runner_options options = on(this->time);
  options.exception_handler = std::ref(log);
  runner closing(options);
  typename TypeParam::mutex m;
  typename TypeParam::shared_mutex shared;
  typename TypeParam::semaphore units(1);
  typename TypeParam::event never;
  auto stay = [&]() -> task<> {
    for (;;) {
      try {
        co_await never.wait();
      } catch (const cancelled&) {  // ignored, for ever
      }
    }
  };
  auto hold = [&]() -> task<> {
    auto guard = co_await m.lock();
    auto reading = co_await shared.lock_shared();
    auto permit = co_await units.acquire_permit();
    auto staying = stay();
    co_await staying;
  };
  auto insist = [&](auto& of, auto get) -> task<> {
    for (;;) {
      try {
        auto got = co_await get(of);
        auto staying = stay();
        co_await staying;
      } catch (const cancelled&) {  // ignored, for ever
      }
    }
  };
  auto start = [&]() -> task<> {
    spawn(hold()).detach();
    co_await let_run(2);
    for (int times = 0; times < 2; ++times) {
      spawn(insist(m, [](auto& of) { return of.lock(); })).detach();
      spawn(insist(shared, [](auto& of) { return of.lock(); })).detach();
      spawn(insist(shared, [](auto& of) { return of.lock_shared(); })).detach();
      spawn(insist(units, [](auto& of) { return of.acquire_permit(); })).detach();
    }
    co_await let_run(2);
  };
  closing.run(start());
  closing.close();
  EXPECT_GE(log.size(), 9u);
  EXPECT_FALSE(m.is_locked());
  EXPECT_FALSE(shared.is_locked());
  EXPECT_EQ(shared.readers(), 0u);
  EXPECT_EQ(units.available(), 1);
  never.set();
}

// Whoever held it has gone meanwhile: a later owner keeps it, and the primitive goes on as before.
TYPED_TEST(primitives_test,
           a_wait_that_is_destroyed_after_its_guard_was_let_go_leaves_the_mutex_usable) {
  error_log log;
  runner_options options = on(this->time);
  options.exception_handler = std::ref(log);
  runner closing(options);
  typename TypeParam::mutex m;
  typename TypeParam::condition c(m);
  std::optional<typename TypeParam::mutex::guard> elsewhere;
  auto in_condition = [&]() -> task<> {
    auto guard = co_await m.lock();
    elsewhere.emplace(std::move(guard));  // outlives the frame
    co_await c.wait();
  };
  auto start = [&]() -> task<> {
    spawn(in_condition()).detach();
    co_await let_run(2);
  };
  closing.run(start());
  auto holder = m.try_lock();
  closing.close();
  EXPECT_TRUE(m.is_locked());
  elsewhere.reset();  // void
  EXPECT_TRUE(m.is_locked());
  holder.unlock();
  EXPECT_FALSE(m.is_locked());
}

}  // namespace
}  // namespace harrier::test
