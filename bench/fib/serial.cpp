// SPDX-License-Identifier: Apache-2.0
// fib as a plain recursive function on one thread: the floor.
#include "config.hpp"

#include <benchmark/benchmark.h>

namespace bench::fib {
namespace {

std::uint64_t fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

const contender serial("fib", "serial", {1}, [](std::size_t) {
  return measure([](unsigned n) {
    benchmark::DoNotOptimize(n);
    return fib(n);
  });
});

}  // namespace
}  // namespace bench::fib
