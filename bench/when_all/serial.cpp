// SPDX-License-Identifier: Apache-2.0
// when_all as ten calls.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::when_all {
namespace {

[[gnu::noinline]] std::uint64_t one() {
  std::uint64_t value = 1;
  benchmark::DoNotOptimize(value);
  return value;
}

const contender calls("when_all", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    std::uint64_t sum = 0;
    for (; n > 0; --n) {
      for (std::uint64_t i = 0; i < width; ++i) sum += one();
    }
    return sum;
  });
});

}  // namespace
}  // namespace bench::when_all
