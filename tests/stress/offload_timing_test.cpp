// SPDX-License-Identifier: Apache-2.0
// Blocking calls in parallel, measured. Issue 2: 16 blocking calls of 100 ms end within 150 ms on
// two cores while a parallel_for progresses.
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>

namespace harrier::test {
namespace {

TEST(offload_timing, sixteen_blocking_calls_of_100_ms_take_little_longer_than_one) {
  constexpr std::uint64_t calls = 16;
  runtime rt(std::size_t{2});
  auto block = [](std::uint64_t) -> task<> {
    auto op = offload_blocking([] { std::this_thread::sleep_for(100ms); });
    co_await op;
  };
  std::atomic<std::uint64_t> progress{0};
  std::atomic<bool> stop{false};
  auto compute = [&]() -> task<> {
    auto op = offload([&] {
      while (!stop.load()) {
#if defined(HARRIER_THREAD_SANITIZED)
        progress.fetch_add(1);  // oneTBB is not instrumented
#else
        tbb::parallel_for(0, 64, [&](int) { progress.fetch_add(1); });
#endif
      }
    });
    co_await op;
  };
  auto best = std::chrono::steady_clock::duration::max();
  auto computing = rt.spawn(compute());
  std::uint64_t before = 0;
  std::uint64_t during = 0;
  // Another process may hold the machine: the best of five must be within the limit.
  for (int attempt = 0; attempt < 5; ++attempt) {
    before = progress.load();
    const auto start = std::chrono::steady_clock::now();
    rt.dispatch(calls, block).get();
    best = std::min(best, std::chrono::steady_clock::now() - start);
    during = progress.load() - before;
    if (best <= 150ms && during > 0) break;
  }
  stop = true;
  computing.wait();
  EXPECT_GE(best, 100ms);
  EXPECT_LE(best, scaled(150ms, 400ms));
  EXPECT_GT(during, 0u) << "the parallel_for made no progress meanwhile";
  EXPECT_LE(rt.metrics().blocking_threads_started, 64u);
}

TEST(offload_timing, an_idle_runtime_uses_no_processor_time) {
  runtime rt(std::size_t{2});
  rt.dispatch(10'000, [](std::uint64_t i) -> task<std::uint64_t> { co_return i; }).get();
  const auto cpu = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
  };
  std::this_thread::sleep_for(50ms);  // let the workers fall asleep
  const auto before = cpu();
  std::this_thread::sleep_for(500ms);
  EXPECT_LE(cpu() - before, 5ms);
}

}  // namespace
}  // namespace harrier::test
