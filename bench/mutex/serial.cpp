// SPDX-License-Identifier: Apache-2.0
// mutex as a flag in a loop.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::mutex {
namespace {

const contender flag("mutex", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    bool is_locked = false;
    std::uint64_t value = 0;
    for (; n > 0; --n) {
      check(!is_locked, "mutex");
      is_locked = true;
      benchmark::DoNotOptimize(is_locked);
      ++value;
      is_locked = false;
      benchmark::DoNotOptimize(is_locked);
    }
    return value;
  });
});

}  // namespace
}  // namespace bench::mutex
