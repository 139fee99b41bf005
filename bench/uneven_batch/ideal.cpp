// SPDX-License-Identifier: Apache-2.0
// uneven_batch by threads that know where the work is: each takes every so-many-th item.
#include "config.hpp"

#include <benchmark/benchmark.h>

#include <latch>
#include <thread>
#include <vector>

namespace bench::uneven_batch {
namespace {

void run_share(std::uint64_t first, std::uint64_t step, std::uint64_t items) {
  for (std::uint64_t i = first; i < items; i += step) benchmark::DoNotOptimize(item(i, items));
}

measurement measure_threads(std::size_t workers) {
  const std::uint64_t n = size();
  return measurement(units_of(n), [n, workers] {
    std::latch start(1);
    std::latch done(static_cast<std::ptrdiff_t>(workers));
    std::vector<std::jthread> threads;
    for (std::size_t w = 0; w < workers; ++w) {
      threads.emplace_back([&, w] {
        start.wait();
        run_share(w, workers, n);
        done.count_down();
      });
    }
    return timed([&] {
      start.count_down();
      done.wait();
    });
  });
}

const contender threads("uneven_batch", "ideal", worker_counts(), measure_threads);

}  // namespace
}  // namespace bench::uneven_batch
