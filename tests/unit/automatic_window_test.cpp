// SPDX-License-Identifier: Apache-2.0
// How an automatic window follows throughput, latency and memory. On virtual time: the rates are exact.
#include <harrier/detail/memory_gauge.hpp>
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace harrier::test {
namespace {

class tuned_runtime {
 public:
  explicit tuned_runtime(
      std::size_t workers, std::function<double()> memory_used = [] { return 0.5; })
      : rt(options(time, workers, std::move(memory_used))) {}
  double seconds() { return std::chrono::duration<double>(time.now().time_since_epoch()).count(); }

  virtual_clock time;
  runtime rt;

 private:
  static runtime_options options(clock& of, std::size_t workers,
                                 std::function<double()> memory_used) {
    runtime_options made;
    made.workers = workers;
    made.time = &of;
    made.memory_used = std::move(memory_used);
    return made;
  }
};

/// What the window was, seen ten times a second.
class window_log {
 public:
  dispatch_options options() {
    return dispatch_options().on_progress(100ms, [this](const batch_progress& now) {
      windows.push_back(now.window);
      seconds.push_back(std::chrono::duration<double>(now.elapsed).count());
    });
  }
  std::uint64_t most() const { return *std::max_element(windows.begin(), windows.end()); }
  std::uint64_t least() const { return *std::min_element(windows.begin(), windows.end()); }
  std::uint64_t at(double second) const {
    const auto found = std::lower_bound(seconds.begin(), seconds.end(), second);
    return windows.at(static_cast<std::size_t>(found - seconds.begin()));
  }

  /// What it mostly was in the second half: whatever trial was under way at one moment.
  std::uint64_t settled() const {
    std::vector<std::uint64_t> half(
        windows.begin() + static_cast<std::ptrdiff_t>(windows.size() / 2), windows.end());
    std::sort(half.begin(), half.end());
    return half.at(half.size() / 2);
  }

  std::vector<std::uint64_t> windows;
  std::vector<double> seconds;
};

class automatic_window : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(workers, automatic_window, testing::Values(1, 2));

// A service that is 100 ms away and answers whatever it is asked: the more at once the better.
TEST_P(automatic_window, grows_while_that_gives_more_items_per_second) {
  tuned_runtime on(GetParam());
  window_log log;
  auto far_away = [](std::uint64_t) -> task<> { co_await sleep_for(100ms); };
  const std::uint64_t n = 100'000 * GetParam();
  auto b = on.rt.for_each(n, far_away, log.options());
  EXPECT_EQ(b.window(), 1024 * GetParam());
  b.get();
  const double with_1024 = 100'000.0 / 1024 * 0.1;
  EXPECT_LT(on.seconds(), with_1024 / 5);
  EXPECT_GE(log.most(), 8192 * GetParam());
  EXPECT_EQ(b.window(), b.progress().window);
}

/// A service that does 50 things at once, 10 ms each: 5000 in a second, however many ask.
class busy_service {
 public:
  task<> serve() {
    co_await places_.acquire();
    co_await sleep_for(10ms);
    places_.release();
  }

 private:
  semaphore places_{50};
};

TEST_P(automatic_window, gives_back_what_costs_latency_and_brings_no_throughput) {
  tuned_runtime on(GetParam());
  window_log log;
  busy_service service;
  duration waited{0};
  std::mutex mutex;
  auto ask = [&](std::uint64_t i) -> task<> {
    const time_point begin = this_loop().now();
    co_await service.serve();
    if (i % 8 == 0) {
      const std::scoped_lock guard(mutex);
      waited = this_loop().now() - begin;
    }
  };
  on.rt.for_each(50'000 * GetParam(), ask, log.options()).get();
  EXPECT_LT(on.seconds(), 10.0 * static_cast<double>(GetParam()) * 1.1);  // as fast as it can
  EXPECT_LE(log.most(), 2 * 2 * 1024 * GetParam());
  EXPECT_LE(log.windows.back(), 256 * GetParam());
  EXPECT_GE(log.least(), 64 * GetParam());
  EXPECT_LT(waited, 250ms);  // with 1024 for each worker: 205 ms for each worker
}

TEST_P(automatic_window, stops_growing_where_a_service_saturates) {
  tuned_runtime on(GetParam());
  window_log log;
  semaphore places(4000);
  auto ask = [&](std::uint64_t) -> task<> {
    co_await places.acquire();
    co_await sleep_for(100ms);
    places.release();
  };
  on.rt.for_each(400'000, ask, log.options()).get();
  EXPECT_LT(on.seconds(), 10.0 * 1.2);
  EXPECT_GE(log.settled(), 4000u);
  EXPECT_LE(log.settled(), 8192u);
}

TEST_P(automatic_window, shrinks_while_memory_is_short_and_comes_back) {
  virtual_clock* time = nullptr;
  auto short_for_a_while = [&time] {
    const auto now = time->now().time_since_epoch();
    return now >= 1s && now < 5s ? 0.95 : 0.4;
  };
  tuned_runtime on(GetParam(), short_for_a_while);
  time = &on.time;
  window_log log;
  semaphore places(1500 * static_cast<std::ptrdiff_t>(GetParam()));
  auto sleeps = [&](std::uint64_t index) -> task<> {
    co_await places.acquire();
    co_await sleep_for(40ms + index % 21 * 1ms);  // not in step
    places.release();
  };
  auto b = on.rt.for_each(std::views::iota(std::uint64_t{0}), sleeps, log.options());
  auto watch = [&]() -> task<> { co_await sleep_for(15s); };
  on.rt.run(watch());
  b.cancel();
  b.wait();
  EXPECT_GE(log.at(0.9), 1024 * GetParam());
  EXPECT_LE(log.at(4.5), 64 * GetParam());
  // Where two workers see few items end, a trial may fail by chance, and the next is later. And one of half
  // the window may be under way.
  EXPECT_GE(log.at(14.5), 512 * GetParam());
}

// Under way are few, each with much memory: the window is cut from what is under way, though it was not full.
TEST_P(automatic_window, is_cut_from_what_is_under_way) {
  tuned_runtime on(GetParam(), [] { return 0.97; });
  window_log log;
  auto arrivals = []() -> async_generator<int> {
    for (int i = 0; i < 5000; ++i) {
      co_await sleep_for(1ms);
      co_yield i;
    }
  };
  auto sleeps = [](int) -> task<> { co_await sleep_for(300ms); };
  on.rt.for_each(arrivals(), sleeps, log.options()).get();
  EXPECT_LE(log.settled(), 150 * GetParam());  // 300 would be under way
  EXPECT_GE(log.settled(), 16 * GetParam());
}

// A rate is the bound: more items would wait for their permits only, and fewer must not miss any.
TEST_P(automatic_window, stays_where_a_rate_needs_no_more) {
  tuned_runtime on(GetParam());
  window_log log;
  auto sleeps = [](std::uint64_t) -> task<> { co_await sleep_for(200ms); };
  constexpr double rate = 2000;  // 400 under way
  on.rt.for_each(60'000, sleeps, log.options().with_rate(rate)).get();
  EXPECT_LT(on.seconds(), 60'000 / rate * 1.02);
  EXPECT_LE(log.most(), 2 * 1024 * GetParam());
  EXPECT_EQ(log.least(), 1024 * GetParam());
  EXPECT_EQ(log.settled(), 1024 * GetParam());
}

TEST_P(automatic_window, grows_to_what_a_rate_needs) {
  tuned_runtime on(GetParam());
  window_log log;
  auto sleeps = [](std::uint64_t) -> task<> { co_await sleep_for(300ms); };
  constexpr double rate = 20'000;  // 6000 under way
  on.rt.for_each(200'000, sleeps, log.options().with_rate(rate)).get();
  EXPECT_LT(on.seconds(), 200'000 / rate * 1.25);
  EXPECT_GE(log.settled(), 6000u);
  EXPECT_LE(log.settled(), 16'384u);
}

// So slow a rate that nothing ends for long: that is no reason to start more.
TEST_P(automatic_window, does_not_grow_while_items_wait_for_a_rate) {
  tuned_runtime on(GetParam());
  window_log log;
  auto nothing = [](std::uint64_t) -> task<> { co_return; };
  auto b = on.rt.for_each(10'000 * GetParam(), nothing, log.options().with_rate(0.2));
  auto watch = []() -> task<> { co_await sleep_for(60s); };
  on.rt.run(watch());
  b.cancel();
  b.wait();
  EXPECT_EQ(log.most(), 1024 * GetParam());
}

// Permits are not what they wait for: they go on.
TEST_P(automatic_window, lets_items_with_a_rate_wait_for_each_other) {
  tuned_runtime on(GetParam());
  gate g;
  std::atomic<std::uint64_t> begun{0};
  constexpr std::uint64_t n = 10'000;
  auto body = [&](std::uint64_t) -> task<> {
    if (begun.fetch_add(1) + 1 == n) g.open();
    co_await g.wait();
  };
  on.rt.for_each(n, body, dispatch_options().with_rate(10'000)).get();
  EXPECT_LT(on.seconds(), 5.0);
}

// Nobody ends before all have begun, and memory is short: progress comes first.
TEST_P(automatic_window, lets_items_that_wait_for_each_other_go_on_under_pressure) {
  for (const bool with_timers : {false, true}) {
    tuned_runtime on(GetParam(), [] { return 0.99; });
    gate g;
    std::atomic<std::uint64_t> begun{0};
    constexpr std::uint64_t n = 10'000;
    auto body = [&](std::uint64_t i) -> task<> {
      if (with_timers) co_await sleep_for(std::chrono::milliseconds(i % 7));
      if (begun.fetch_add(1) + 1 == n) g.open();
      co_await g.wait();
    };
    auto b = on.rt.for_each(n, body);
    b.get();
    EXPECT_EQ(b.counts().completed, n);
    EXPECT_LT(on.seconds(), 30.0);
  }
}

// A timer far away says nothing of the items: they are not kept waiting for it.
TEST_P(automatic_window, does_not_wait_for_a_timer_to_let_items_go_on) {
  tuned_runtime on(GetParam());
  auto much_later = []() -> task<> { co_await sleep_for(1h); };
  join_handle<void> other;
  gate g;
  std::atomic<std::uint64_t> begun{0};
  constexpr std::uint64_t n = 50'000;
  auto body = [&](std::uint64_t i) -> task<> {
    if (i == 0) other = spawn(much_later());
    if (begun.fetch_add(1) + 1 == n) g.open();
    co_await g.wait();
    if (i == 0) other.cancel();
  };
  on.rt.dispatch(n, body).get();
  EXPECT_LT(on.seconds(), 2.0);
}

TEST(memory_gauge, asks_the_system_four_times_a_second) {
  int asked = 0;
  const std::function<double()> source = [&asked] {
    ++asked;
    return 0.25 * asked;
  };
  detail::memory_gauge gauge(source);
  const time_point start{};
  EXPECT_EQ(gauge.read(start), 0.25);
  EXPECT_EQ(gauge.read(start + 249ms), 0.25);
  EXPECT_EQ(gauge.read(start + 250ms), 0.5);
  EXPECT_EQ(asked, 2);
}

TEST(memory_gauge, tells_the_part_that_is_in_use) {
  const double used = detail::memory_in_use();
  EXPECT_GE(used, 0.0);
  EXPECT_LE(used, 1.5);
}

}  // namespace
}  // namespace harrier::test
