// SPDX-License-Identifier: Apache-2.0
// awaited_child as a loop over a function that is not inlined: the floor.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::awaited_child {
namespace {

[[gnu::noinline]] std::uint64_t child(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  return i;
}

std::uint64_t sum_children(std::uint64_t n) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < n; ++i) sum += child(i);
  return sum;
}

const contender serial("awaited_child", "serial", {1},
                       [](std::size_t) { return measure(sum_children); });

}  // namespace
}  // namespace bench::awaited_child
