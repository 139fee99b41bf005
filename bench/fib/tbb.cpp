// SPDX-License-Identifier: Apache-2.0
// fib on raw oneTBB as the public suites write it: parallel_invoke of the two calls, no cut-off.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/parallel_invoke.h>

#include <memory>

namespace bench::fib {
namespace {

std::uint64_t fib(unsigned n) {
  if (n < 2) return n;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  tbb::parallel_invoke([&] { a = fib(n - 1); }, [&] { b = fib(n - 2); });
  return a + b;
}

measurement prepare(std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](unsigned n) { return arena->execute([n] { return fib(n); }); });
}

const contender raw_tbb("fib", "tbb", worker_counts(), prepare);
const contender crowded("fib_oversubscribed", "tbb", oversubscribed_workers(), prepare);

}  // namespace
}  // namespace bench::fib
