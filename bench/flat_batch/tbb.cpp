// SPDX-License-Identifier: Apache-2.0
// flat_batch on raw oneTBB. tbb: one task per item, given to one task_group. tbb_parallel_for: the
// range algorithm, which calls a function per item and starts a task per chunk, as does
// tbb_parallel_reduce.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <benchmark/benchmark.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_group.h>

#include <functional>

namespace bench::flat_batch {
namespace {

using range = tbb::blocked_range<std::uint64_t>;

measurement collect(std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](std::uint64_t n) {
    return arena->execute([n] {
      auto results = make_results(n);
      tbb::task_group group;
      for (std::uint64_t i = 0; i < n; ++i) group.run([i, to = results.get()] { to[i] = i; });
      group.wait();
      return results;
    });
  });
}

const contender collected("flat_batch", "tbb", worker_counts(), collect);
const contender crowded("flat_batch_oversubscribed", "tbb", oversubscribed_workers(), collect);

const contender discarded("flat_batch_discarded", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure_discarded([arena](std::uint64_t n) {
    arena->execute([n] {
      tbb::task_group group;
      for (std::uint64_t i = 0; i < n; ++i) {
        group.run([i] { benchmark::DoNotOptimize(i); });
      }
      group.wait();
    });
  });
});

[[gnu::noinline]] std::uint64_t item(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  return i;
}

const contender collected_by_range("flat_batch", "tbb_parallel_for", worker_counts(),
                                   [](std::size_t workers) {
                                     auto arena = std::make_shared<tbb_arena>(workers);
                                     return measure([arena](std::uint64_t n) {
                                       return arena->execute([n] {
                                         auto results = make_results(n);
                                         tbb::parallel_for(std::uint64_t{0}, n,
                                                           [to = results.get()](std::uint64_t i) {
                                                             to[i] = item(i);
                                                           });
                                         return results;
                                       });
                                     });
                                   });

const contender discarded_by_range("flat_batch_discarded", "tbb_parallel_for", worker_counts(),
                                   [](std::size_t workers) {
                                     auto arena = std::make_shared<tbb_arena>(workers);
                                     return measure_discarded([arena](std::uint64_t n) {
                                       arena->execute([n] {
                                         tbb::parallel_for(std::uint64_t{0}, n,
                                                           [](std::uint64_t i) { item(i); });
                                       });
                                     });
                                   });

const contender reduced_by_range("flat_batch_reduced", "tbb_parallel_reduce", worker_counts(),
                                 [](std::size_t workers) {
                                   auto arena = std::make_shared<tbb_arena>(workers);
                                   return measure_discarded([arena](std::uint64_t n) {
                                     const std::uint64_t sum = arena->execute([n] {
                                       return tbb::parallel_reduce(
                                           range(0, n), std::uint64_t{0},
                                           [](const range& chunk, std::uint64_t part) {
                                             for (std::uint64_t i = chunk.begin(); i < chunk.end();
                                                  ++i) {
                                               benchmark::DoNotOptimize(i);
                                               part += i;
                                             }
                                             return part;
                                           },
                                           std::plus<>());
                                     });
                                     check(sum == n * (n - 1) / 2, "flat_batch_reduced");
                                   });
                                 });

}  // namespace
}  // namespace bench::flat_batch
