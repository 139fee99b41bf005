// SPDX-License-Identifier: Apache-2.0
// spawn_join as the least that it can be: a closure goes through a queue and is called.
#include "config.hpp"

#include <deque>
#include <functional>

namespace bench::spawn_join {
namespace {

std::uint64_t sum_tasks(std::uint64_t n) {
  std::uint64_t sum = 0;
  std::deque<std::function<void()>> ready;
  for (std::uint64_t i = 0; i < n; ++i) {
    ready.emplace_back([i, &sum] { sum += i; });
    ready.front()();
    ready.pop_front();
  }
  return sum;
}

const contender serial("spawn_join", "serial", {1}, [](std::size_t) { return measure(sum_tasks); });

}  // namespace
}  // namespace bench::spawn_join
