// SPDX-License-Identifier: Apache-2.0
// flat_batch as a loop over a function that is not inlined: the floor on one thread.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::flat_batch {
namespace {

[[gnu::noinline]] std::uint64_t item(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  return i;
}

const contender collected("flat_batch", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    auto results = make_results(n);
    for (std::uint64_t i = 0; i < n; ++i) results[i] = item(i);
    return results;
  });
});

const contender discarded("flat_batch_discarded", "serial", {1}, [](std::size_t) {
  return measure_discarded([](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) item(i);
  });
});

}  // namespace
}  // namespace bench::flat_batch
