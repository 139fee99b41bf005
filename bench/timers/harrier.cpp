// SPDX-License-Identifier: Apache-2.0
// timers as the items of one batch, all of which may be started and unfinished at once.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

namespace bench::timers {
namespace {

using namespace std::chrono_literals;

harrier::task<char> sleep_its_time(std::uint64_t i) {
  const clock::time_point start = clock::now();
  co_await harrier::sleep_for(sleep_of(i));
  co_return clock::now() - start >= sleep_of(i);
}

const contender fired("timers", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](std::uint64_t n) {
    auto batch = runtime->dispatch(n, sleep_its_time, harrier::dispatch_options().with_window(n));
    const auto results = batch.get();
    return static_cast<std::uint64_t>(std::count(results.begin(), results.end(), 1));
  });
});

std::atomic<std::uint64_t> started = 0;

harrier::task<> sleep_long(std::uint64_t) {
  started.fetch_add(1);
  co_await harrier::sleep_for(1h);
}

const contender cancelled("timers_cancelled", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure_cancelled([runtime](std::uint64_t n) {
    started = 0;
    auto batch = runtime->dispatch(n, sleep_long, harrier::dispatch_options().with_window(n));
    while (started.load() < n) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(10ms);  // the last to start have yet to suspend
    const duration taken = timed([&] {
      batch.cancel();
      batch.wait();
    });
    return std::pair<duration, std::uint64_t>(taken, batch.counts().cancelled);
  });
});

}  // namespace
}  // namespace bench::timers
