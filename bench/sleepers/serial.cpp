// SPDX-License-Identifier: Apache-2.0
// sleepers without coroutines: a priority queue of deadlines with a callback each.
#include "config.hpp"

#include <benchmark/benchmark.h>

#include <functional>
#include <queue>

namespace bench::sleepers {
namespace {

class timer {
 public:
  timer(std::uint64_t at, std::function<void()> then) : deadline(at), callback(std::move(then)) {}
  bool operator<(const timer& other) const { return deadline > other.deadline; }
  std::uint64_t deadline;
  std::function<void()> callback;
};

double bytes_each(std::size_t) {
  const std::uint64_t n = size();
  const std::uint64_t before = resident_bytes();
  std::priority_queue<timer> timers;
  for (std::uint64_t i = 0; i < n; ++i) {
    timers.emplace(i, [i] { benchmark::DoNotOptimize(i); });
  }
  benchmark::DoNotOptimize(timers);
  return static_cast<double>(resident_bytes() - before) / static_cast<double>(n);
}

const quantity serial("sleepers", "serial", {1}, "bytes each", bytes_each);

}  // namespace
}  // namespace bench::sleepers
