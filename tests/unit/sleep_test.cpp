// SPDX-License-Identifier: Apache-2.0
// sleep_for and sleep_until: order, ties (L5: first in, first out), odd delays, cancelling.
#include "support.hpp"

#include <algorithm>
#include <random>

namespace harrier::test {
namespace {

TEST(sleep, takes_as_long_as_asked) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    const time_point start = this_loop().now();
    co_await sleep_for(1500ms);
    EXPECT_EQ(this_loop().now() - start, 1500ms);
    co_await sleep_until(start + 2s);
    EXPECT_EQ(this_loop().now() - start, 2s);
  };
  r.run(main());
  EXPECT_EQ(time.now().time_since_epoch(), 2s);
}

TEST(sleep, wakes_in_the_order_of_the_deadlines) {
  virtual_clock time;
  runner r(on(time));
  std::vector<int> woken;
  auto sleeper = [&](int ms) -> task<> {
    co_await sleep_for(std::chrono::milliseconds(ms));
    woken.push_back(ms);
  };
  auto main = [&]() -> task<> {
    std::vector<int> delays;
    for (int i = 1; i <= 1000; ++i) delays.push_back(i);
    std::shuffle(delays.begin(), delays.end(), std::mt19937(1));
    for (const int ms : delays) spawn(sleeper(ms)).detach();
    co_await sleep_for(2s);
  };
  r.run(main());
  ASSERT_EQ(woken.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(woken.begin(), woken.end()));
}

// L5 (improved: ties are first in, first out)
TEST(sleep, equal_deadlines_wake_in_the_order_of_their_calls) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto sleeper = [&](char name) -> task<> {
    co_await sleep_until(time_point{} + 5ms);
    order += name;
  };
  auto main = [&]() -> task<> {
    for (const char name : std::string("abcdefgh")) spawn(sleeper(name)).detach();
    co_await sleep_for(10ms);
  };
  r.run(main());
  EXPECT_EQ(order, "abcdefgh");
}

// L5: also when they were asked for at different times.
TEST(sleep, ties_follow_the_order_of_asking_not_of_starting) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto sleeper = [&](char name, duration before) -> task<> {
    if (before > 0ms) co_await sleep_for(before);
    co_await sleep_until(time_point{} + 10ms);
    order += name;
  };
  auto main = [&]() -> task<> {
    spawn(sleeper('c', 2ms)).detach();
    spawn(sleeper('b', 1ms)).detach();
    spawn(sleeper('a', 0ms)).detach();
    co_await sleep_for(20ms);
  };
  r.run(main());
  EXPECT_EQ(order, "abc");
}

// L5
TEST(sleep, a_hundred_thousand_equal_deadlines_wake_in_order) {
  virtual_clock time;
  runner r(on(time));
  constexpr int count = 100'000;
  std::vector<int> woken;
  woken.reserve(count);
  auto sleeper = [&](int i) -> task<> {
    co_await sleep_until(time_point{} + 1s);
    woken.push_back(i);
  };
  auto main = [&]() -> task<> {
    for (int i = 0; i < count; ++i) spawn(sleeper(i)).detach();
    co_await sleep_for(2s);
  };
  r.run(main());
  ASSERT_EQ(woken.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ASSERT_EQ(woken[static_cast<std::size_t>(i)], i);
}

TEST(sleep, zero_gives_up_exactly_one_turn) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto main = [&]() -> task<> {
    this_loop().call_soon([&] {
      order += 'a';
      this_loop().call_soon([&] { order += 'c'; });
    });
    co_await sleep_for(0ms);
    order += 'b';
    co_await sleep_for(0ms);
    order += 'd';
  };
  r.run(main());
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(time.now().time_since_epoch(), 0s);
}

// L4
TEST(sleep, negative_delays_do_not_wait) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    co_await sleep_for(-1h);
    co_await sleep_for(duration::min());
    co_await sleep_until(time_point::min());
    co_await sleep_until(this_loop().now() - 1s);
  };
  r.run(main());
  EXPECT_EQ(time.now().time_since_epoch(), 0s);
}

// A deadline beyond what the clock can express never comes; it must not wrap into the past.
TEST(sleep, overflowing_delays_never_end_and_can_be_cancelled) {
  virtual_clock time;
  runner r(on(time));
  int woken = 0;
  int ended = 0;
  auto sleeper = [&](int kind) -> task<> {
    try {
      if (kind == 0) co_await sleep_for(duration::max());
      if (kind == 1) co_await sleep_until(time_point::max());
      if (kind == 2) co_await sleep_for(std::chrono::hours::max());
      if (kind == 3) co_await sleep_for(duration::max() - 1ns);
      ++woken;
    } catch (const cancelled&) {
      ++ended;
    }
  };
  auto main = [&]() -> task<> {
    co_await sleep_for(1s);  // so that now() + max overflows
    std::vector<join_handle<void>> handles;
    for (int kind = 0; kind < 4; ++kind) handles.push_back(spawn(sleeper(kind)));
    co_await sleep_for(24h * 365);
    EXPECT_EQ(woken, 0);
    for (auto& h : handles) h.cancel();
    for (auto& h : handles) co_await h;
  };
  r.run(main());
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(ended, 4);
}

TEST(sleep, long_units_are_not_narrowed) {
  virtual_clock time;
  runner r(on(time));
  r.run(sleep_for(std::chrono::hours(24 * 365 * 100)));
  EXPECT_EQ(time.now().time_since_epoch(), std::chrono::hours(24 * 365 * 100));
}

TEST(sleep, fractions_of_the_clock_tick_never_wake_early) {
  virtual_clock time;
  runner r(on(time));
  r.run(sleep_for(
      std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>(0.5))));
  EXPECT_EQ(time.now().time_since_epoch(), 500us);
}

// 2.6: a cancelled sleep takes its timer with it, so the clock does not jump there.
TEST(sleep, cancelled_sleep_removes_its_timer) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    auto handle = spawn(sleep_then(1h, 1));
    co_await yield();
    handle.cancel();
    co_await sleep_for(1ms);
    EXPECT_TRUE(handle.done());
  };
  r.run(main());
  r.run(sleep_for(1ms));
  EXPECT_EQ(time.now().time_since_epoch(), 2ms);
}

// L6: timers in the middle of the heap go as well, in any order, and the rest stays sorted.
TEST(sleep, cancelling_every_other_sleeper_keeps_the_rest_in_order) {
  virtual_clock time;
  runner r(on(time));
  constexpr int count = 10'000;
  std::vector<int> woken;
  auto sleeper = [&](int i) -> task<> {
    co_await sleep_for(std::chrono::milliseconds(1 + (i * 7919) % count));
    woken.push_back(1 + (i * 7919) % count);
  };
  auto main = [&]() -> task<> {
    std::vector<join_handle<void>> handles;
    for (int i = 0; i < count; ++i) handles.push_back(spawn(sleeper(i)));
    co_await yield();
    std::vector<std::size_t> victims;
    for (std::size_t i = 0; i < handles.size(); i += 2) victims.push_back(i);
    std::shuffle(victims.begin(), victims.end(), std::mt19937(7));
    for (const std::size_t v : victims) handles[v].cancel();
    co_await sleep_for(1min);
  };
  r.run(main());
  EXPECT_EQ(woken.size(), static_cast<std::size_t>(count / 2));
  EXPECT_TRUE(std::is_sorted(woken.begin(), woken.end()));
}

TEST(virtual_clock, starts_at_the_epoch_and_advances_by_hand) {
  virtual_clock time;
  EXPECT_EQ(time.now(), time_point{});
  time.advance(3s);
  EXPECT_EQ(time.now(), time_point{} + 3s);
}

TEST(virtual_clock, a_day_of_ticks_takes_no_time) {
  virtual_clock time;
  runner r(on(time));
  int ticks = 0;
  auto main = [&]() -> task<> {
    for (int i = 0; i < 24 * 60; ++i) {
      co_await sleep_for(1min);
      ++ticks;
    }
  };
  r.run(main());
  EXPECT_EQ(ticks, 24 * 60);
  EXPECT_EQ(time.now(), time_point{} + 24h);
}

TEST(virtual_clock, advancing_by_hand_makes_sleepers_due) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto sleeper = [&](char name, duration d) -> task<> {
    co_await sleep_for(d);
    order += name;
  };
  auto main = [&]() -> task<> {
    auto b = spawn(sleeper('b', 2h));
    auto a = spawn(sleeper('a', 1h));
    co_await yield();
    time.advance(3h);
    co_await yield();
    co_await yield();
    EXPECT_EQ(order, "ab") << "both are due: by deadline";
    EXPECT_EQ(this_loop().now(), time_point{} + 3h);
  };
  r.run(main());
}

// The only test on the real clock: a sleep never ends early. It waits for 2 ms.
TEST(steady_clock, sleep_never_ends_early) {
  runner r;
  const auto before = std::chrono::steady_clock::now();
  r.run(sleep_for(2ms));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 2ms);
}

}  // namespace
}  // namespace harrier::test
