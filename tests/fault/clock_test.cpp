// SPDX-License-Identifier: Apache-2.0
// Clocks that do what clocks should not, and times that no clock reaches: no timer fires early, each
// fires once, and nobody spins meanwhile.
#include <harrier/runtime.hpp>

#include "fault/child.hpp"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

// The machine's clocks as this program sees them. Not under a sanitizer, which takes the same name.
#if HARRIER_TEST_SANITIZED == 0

namespace {
std::atomic<long> looks_at_the_wall_clock{0};
std::atomic<long> wall_clock_moved_by_seconds{0};
}  // namespace

extern "C" int clock_gettime(clockid_t which, timespec* time) noexcept {
  const auto status = static_cast<int>(::syscall(SYS_clock_gettime, which, time));
  if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) {
    looks_at_the_wall_clock.fetch_add(1);
    time->tv_sec += wall_clock_moved_by_seconds.load();
  }
  return status;
}

#endif

namespace harrier::test {
namespace {

/// The steady clock, moved by hand. A machine that wakes from a suspension looks like this.
class jumping_clock final : public clock {
 public:
  time_point now() noexcept override {
    return std::chrono::steady_clock::now() + duration(moved_.load());
  }
  void wait(detail::parker& place, std::uint32_t ticket, time_point deadline, bool) override {
    const time_point next_look = std::chrono::steady_clock::now() + 2ms;
    const duration moved(moved_.load());
    const time_point real = deadline == time_point::max() ? deadline : deadline - moved;
    place.park(ticket, std::min(real, next_look));
  }
  void jump(duration by) { moved_.fetch_add(by.count()); }

 private:
  std::atomic<duration::rep> moved_{0};
};

runtime_options on_clock(clock& time) {
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  return options;
}

/// What was sent to worker 0 before has suspended: a task runs there until it does.
void wait_until_asleep(runtime& rt) { EXPECT_EQ(rt.spawn_on(0, give(1)).get(), 1); }

TEST(clocks, that_jump_ahead_fire_each_timer_once_and_in_order) {
  jumping_clock time;
  {
    runtime rt(on_clock(time));
    std::mutex mutex;
    std::vector<int> order;
    std::atomic<int> early{0};
    auto sleeper = [&](int hours) -> task<> {
      const time_point before = this_loop().now();
      co_await sleep_for(std::chrono::hours(hours));
      if (this_loop().now() - before < std::chrono::hours(hours)) ++early;
      const std::lock_guard lock(mutex);
      order.push_back(hours);
    };
    std::vector<join_handle<void>> handles;
    for (const int hours : {40, 10, 30, 20}) handles.push_back(rt.spawn_on(0, sleeper(hours)));
    auto stays = rt.spawn_on(0, sleeper(24 * 1000));
    wait_until_asleep(rt);
    time.jump(25h);
    handles[1].wait();
    handles[3].wait();
    {
      const std::lock_guard lock(mutex);
      EXPECT_EQ(order, (std::vector<int>{10, 20}));
    }
    time.jump(24h * 365);
    for (const auto& each : handles) each.wait();
    EXPECT_EQ(order, (std::vector<int>{10, 20, 30, 40}));
    EXPECT_EQ(early, 0);
    EXPECT_FALSE(stays.done());
    stays.cancel();
    stays.wait();
    EXPECT_TRUE(is_at_rest(rt));
  }
  EXPECT_TRUE(nothing_is_left());
}

TEST(clocks, that_jump_back_fire_no_timer_early_and_keep_nobody_busy) {
  jumping_clock time;
  {
    runtime rt(on_clock(time));
    auto handle = rt.spawn_on(0, with_timeout(2h, sleep_then(1h, 7)));
    wait_until_asleep(rt);
    time.jump(-24h);
    EXPECT_EQ(rt.run(give(1)), 1) << "work that needs no time goes on";
    timespec before{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    EXPECT_FALSE(handle.wait_for(200ms));
    timespec after{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    const double busy = static_cast<double>(after.tv_sec - before.tv_sec) +
                        1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec);
    EXPECT_LT(busy, scaled(0.1, 0.15));
    time.jump(25h + 10min);
    EXPECT_EQ(handle.get(), 7);
    EXPECT_TRUE(is_at_rest(rt));
  }
  EXPECT_TRUE(nothing_is_left());
}

TEST(clocks, times_that_never_come_do_not_come_early) {
  {
    runtime rt(std::size_t{2});
    std::vector<join_handle<int>> for_ever;
    for_ever.push_back(rt.spawn(sleep_then(duration::max(), 1)));
    for_ever.push_back(rt.spawn(sleep_then(std::chrono::hours(2'562'047), 1)));
    for_ever.push_back(rt.spawn(with_timeout(duration::max(), sleep_then(duration::max(), 1))));
    auto limited = rt.spawn(with_timeout(duration::max(), sleep_then(1ms, 2)));
    EXPECT_EQ(limited.get(), 2);
    for (auto& each : for_ever) {
      EXPECT_FALSE(each.done());
      each.cancel();
      EXPECT_THROW(each.get(), run_cancelled);
    }
    EXPECT_TRUE(is_at_rest(rt));
  }
  EXPECT_TRUE(nothing_is_left());
}

TEST(clocks, times_that_have_passed_are_over_at_once) {
  virtual_clock time;
  {
    runtime rt(on_clock(time));
    const time_point before = time.now();
    for (const duration passed : {duration(0), duration(-1), duration(-1h), duration::min() / 2}) {
      EXPECT_EQ(rt.run(sleep_then(passed, 3)), 3);
      EXPECT_THROW(rt.run(with_timeout(passed, sleep_then(1h, 3))), timed_out);
    }
    EXPECT_EQ(time.now(), before);
    EXPECT_TRUE(is_at_rest(rt));
  }
  EXPECT_TRUE(nothing_is_left());
}

TEST(clocks, a_hundred_thousand_timers_of_one_time_all_fire_then) {
  const std::uint64_t count = scaled(100'000, 10'000);
  virtual_clock time;
  {
    runtime rt(on_clock(time));
    std::atomic<std::uint64_t> elsewhen{0};
    const time_point then = time.now() + 1h;
    auto sleeper = [&](std::uint64_t) -> task<> {
      co_await sleep_until(then);
      if (this_loop().now() != then) elsewhen.fetch_add(1);
    };
    auto all = rt.dispatch(count, sleeper);
    all.get();
    EXPECT_EQ(all.counts().completed, count);
    EXPECT_EQ(elsewhen.load(), 0u);
    EXPECT_TRUE(is_at_rest(rt));
  }
  EXPECT_TRUE(nothing_is_left());
}

#if HARRIER_TEST_SANITIZED == 0

TEST(clocks, of_the_wall_are_not_looked_at_and_may_be_set_back) {
  const long before = looks_at_the_wall_clock.load();
  EXPECT_TRUE(works());
  {
    runtime rt(std::size_t{2});
    auto naps = rt.spawn(with_timeout(1min, sleep_then(50ms, 5)));
    wall_clock_moved_by_seconds = -24 * 3600;
    EXPECT_EQ(naps.get(), 5);
    auto again = rt.spawn(sleep_then(5ms, 6));
    wall_clock_moved_by_seconds = 24 * 3600;
    EXPECT_EQ(again.get(), 6);
    EXPECT_TRUE(rt.drain(1min));
  }
  wall_clock_moved_by_seconds = 0;
  EXPECT_EQ(looks_at_the_wall_clock.load(), before);
  EXPECT_TRUE(nothing_is_left());
}

#endif

}  // namespace
}  // namespace harrier::test
