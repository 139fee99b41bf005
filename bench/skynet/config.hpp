// SPDX-License-Identifier: Apache-2.0
// skynet: a tree of tasks, ten children to a node; a leaf returns its number, a node the sum.
//
// Question  what does a wide fork and join cost, and does memory stay flat in the number of leaves?
// Unit      ns of wall time per leaf, all workers together; peak memory.
// Unfair    creating fewer than ten tasks per node, or summing leaves without a task each (the
//           public suite's oneTBB program runs the tenth child in place, and so may everybody).
// Sizes     HARRIER_BENCH_SKYNET_DEPTH: 3, 6, official 8 (leaves are 10 to that power).
#pragma once

#include "../common/contender.hpp"

#include <algorithm>
#include <cstdint>

namespace bench::skynet {

inline std::uint64_t leaves() {
  std::uint64_t count = 1;
  for (std::uint64_t depth = parameter("SKYNET_DEPTH", 3, 6, 8); depth > 0; --depth) count *= 10;
  return count;
}

/// A contender's measurement, given how it sums the leaves first .. first + count - 1.
template <class F>
measurement measure(F sum) {
  const std::uint64_t count = leaves();
  auto round = [count, sum] {
    std::uint64_t value = 0;
    const duration taken = timed([&] { value = sum(0, count); });
    check(value == count * (count - 1) / 2, "skynet");
    return taken;
  };
  return measurement(static_cast<double>(count), std::move(round)).with_warm_up([count, sum] {
    sum(0, std::min<std::uint64_t>(count, 10'000));
  });
}

}  // namespace bench::skynet
