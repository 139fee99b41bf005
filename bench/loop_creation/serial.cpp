// SPDX-License-Identifier: Apache-2.0
// loop_creation as a plain function call: the floor.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::loop_creation {
namespace {

[[gnu::noinline]] std::uint64_t value(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  return i;
}

const contender serial("loop_creation", "serial", {1}, [](std::size_t) { return measure(value); });

}  // namespace
}  // namespace bench::loop_creation
