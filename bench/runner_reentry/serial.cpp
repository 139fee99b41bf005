// SPDX-License-Identifier: Apache-2.0
// runner_reentry as a plain function call: the floor.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::runner_reentry {
namespace {

[[gnu::noinline]] std::uint64_t value(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  return i;
}

const contender serial("runner_reentry", "serial", {1}, [](std::size_t) { return measure(value); });

}  // namespace
}  // namespace bench::runner_reentry
