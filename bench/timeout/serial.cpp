// SPDX-License-Identifier: Apache-2.0
// timeout as a clock reading and a place in a heap.
#include "config.hpp"

#include <chrono>
#include <queue>
#include <vector>

namespace bench::timeout {
namespace {

using clock = std::chrono::steady_clock;

const contender heap("timeout", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    std::priority_queue<clock::time_point, std::vector<clock::time_point>, std::greater<>> limits;
    std::uint64_t value = 0;
    for (; n > 0; --n) {
      limits.push(clock::now() + std::chrono::hours(1));
      ++value;
      limits.pop();
    }
    return value;
  });
});

}  // namespace
}  // namespace bench::timeout
