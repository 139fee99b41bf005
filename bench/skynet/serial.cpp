// SPDX-License-Identifier: Apache-2.0
// skynet as a plain recursive function on one thread: the floor.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::skynet {
namespace {

std::uint64_t skynet(std::uint64_t first, std::uint64_t count) {
  if (count == 1) {
    benchmark::DoNotOptimize(first);
    return first;
  }
  const std::uint64_t part = count / 10;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < 10; ++i) sum += skynet(first + i * part, part);
  return sum;
}

const contender serial("skynet", "serial", {1}, [](std::size_t) { return measure(skynet); });

}  // namespace
}  // namespace bench::skynet
