// SPDX-License-Identifier: Apache-2.0
// semaphore as a number in a loop.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::semaphore {
namespace {

const contender number("semaphore", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    std::uint64_t units = 2;
    std::uint64_t value = 0;
    for (; n > 0; --n) {
      check(units != 0, "semaphore");
      --units;
      benchmark::DoNotOptimize(units);
      ++value;
      ++units;
      benchmark::DoNotOptimize(units);
    }
    return value;
  });
});

}  // namespace
}  // namespace bench::semaphore
