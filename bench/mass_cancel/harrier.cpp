// SPDX-License-Identifier: Apache-2.0
// mass_cancel as the items of one batch.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace bench::mass_cancel {
namespace {

using namespace std::chrono_literals;

harrier::task<> sleep_below(std::atomic<std::uint64_t>& started, std::uint64_t levels) {
  if (levels > 1) {
    auto below = sleep_below(started, levels - 1);
    co_await below;
  } else {
    started.fetch_add(1, std::memory_order_relaxed);
    co_await harrier::sleep_for(1h);
  }
}

duration cancel_all(harrier::runtime& runtime, std::uint64_t levels) {
  const std::uint64_t n = size();
  std::atomic<std::uint64_t> started = 0;
  auto make = [&started, levels](std::uint64_t) { return sleep_below(started, levels); };
  auto batch = runtime.dispatch(n, make, harrier::dispatch_options().with_window(n));
  while (started.load() < n) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(10ms);  // the last to start have yet to suspend
  const duration taken = timed([&] {
    batch.cancel();
    batch.wait();
  });
  check(batch.done(), "mass_cancel");
  return taken;
}

template <std::uint64_t levels>
measurement prepare(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measurement(static_cast<double>(size()),
                     [runtime] { return cancel_all(*runtime, levels); });
}

template <std::uint64_t levels>
measurement prepare_one(std::size_t) {
  return prepare<levels>(1);
}

const contender flat("mass_cancel", "harrier", worker_counts(), prepare<1>);
const contender flat_one("mass_cancel", "one_worker", {2}, prepare_one<1>);
const contender chained("mass_cancel_deep", "harrier", worker_counts(), prepare<deep>);
const contender chained_one("mass_cancel_deep", "one_worker", {2}, prepare_one<deep>);

}  // namespace
}  // namespace bench::mass_cancel
