// SPDX-License-Identifier: Apache-2.0
// sleepers as harrier coroutines that sleep for an hour and are cancelled once they are counted.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <atomic>
#include <thread>

namespace bench::sleepers {
namespace {

using namespace std::chrono_literals;

std::atomic<std::uint64_t> started = 0;

harrier::task<> sleep_long(std::uint64_t) {
  started.fetch_add(1);
  co_await harrier::sleep_for(1h);
}

double growth_each(std::uint64_t before, std::uint64_t n) {
  return static_cast<double>(resident_bytes() - before) / static_cast<double>(n);
}

double batch_bytes_each(std::size_t workers) {
  const std::uint64_t n = size();
  const std::uint64_t before = resident_bytes();
  harrier::runtime runtime(workers);
  auto batch = runtime.dispatch(n, sleep_long, harrier::dispatch_options().with_window(n));
  while (started.load() < n) std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(100ms);  // the last to start have yet to suspend
  const double each = growth_each(before, n);
  batch.cancel();
  batch.wait();
  return each;
}

const quantity in_batch("sleepers", "harrier", worker_counts(), "bytes each", batch_bytes_each);

harrier::task<double> spawn_sleepers(std::uint64_t before, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) harrier::spawn(sleep_long(i)).detach();
  while (started.load() < n) co_await harrier::yield();
  co_await harrier::yield();
  co_return growth_each(before, n);
}

double spawned_bytes_each(std::size_t) {
  const std::uint64_t n = size();
  const std::uint64_t before = resident_bytes();
  harrier::runner runner;
  return runner.run(spawn_sleepers(before, n));
}

const quantity spawned("sleepers_spawned", "harrier", {1}, "bytes each", spawned_bytes_each);

}  // namespace
}  // namespace bench::sleepers
