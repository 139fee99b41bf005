// SPDX-License-Identifier: Apache-2.0
// batch_stream as a loop over a function that is not inlined: the floor on one thread.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::batch_stream {
namespace {

[[gnu::noinline]] std::uint64_t item(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  return i;
}

const contender loop("batch_stream", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) sum += item(i);
    return sum;
  });
});

}  // namespace
}  // namespace bench::batch_stream
