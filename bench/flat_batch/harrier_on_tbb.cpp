// SPDX-License-Identifier: Apache-2.0
// flat_batch as harrier coroutines with oneTBB as the scheduler. harrier_on_tbb: one oneTBB task
// per coroutine. harrier_on_tbb_parallel_for: oneTBB splits the range, and each chunk is one
// coroutine that awaits the chunk's items one after the other, which is the best that oneTBB offers
// as long as no item waits.
#include "../common/on_tbb.hpp"
#include "config.hpp"

#include <benchmark/benchmark.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

namespace bench::flat_batch {
namespace {

using range = tbb::blocked_range<std::uint64_t>;

harrier::task<std::uint64_t> index(std::uint64_t i) { co_return i; }

harrier::task<> nothing(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  co_return;
}

harrier::task<> collect_chunk(std::uint64_t begin, std::uint64_t end, std::uint64_t* results) {
  for (std::uint64_t i = begin; i < end; ++i) {
    auto item = index(i);
    results[i] = co_await item;
  }
}

harrier::task<> discard_chunk(std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t i = begin; i < end; ++i) {
    auto item = nothing(i);
    co_await item;
  }
}

const contender collected("flat_batch", "harrier_on_tbb", worker_counts(), [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler](std::uint64_t n) {
    return scheduler->within([n] {
      auto results = make_results(n);
      for (std::uint64_t i = 0; i < n; ++i) {
        on_tbb::running_group->run([i, to = results.get()] {
          on_tbb::start_here([i, to] { return on_tbb::carry(index(i), to + i); });
        });
      }
      on_tbb::running_group->wait();
      return results;
    });
  });
});

const contender discarded("flat_batch_discarded", "harrier_on_tbb", worker_counts(),
                          [](std::size_t workers) {
                            auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
                            return measure_discarded([scheduler](std::uint64_t n) {
                              scheduler->within([n] {
                                for (std::uint64_t i = 0; i < n; ++i) {
                                  on_tbb::running_group->run([i] {
                                    on_tbb::start_here([i] { return on_tbb::carry(nothing(i)); });
                                  });
                                }
                                on_tbb::running_group->wait();
                              });
                            });
                          });

const contender collected_by_range(
    "flat_batch", "harrier_on_tbb_parallel_for", worker_counts(), [](std::size_t workers) {
      auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
      return measure([scheduler](std::uint64_t n) {
        return scheduler->within([n] {
          auto results = make_results(n);
          tbb::parallel_for(range(0, n), [to = results.get()](const range& chunk) {
            on_tbb::start_here(
                [&] { return on_tbb::carry(collect_chunk(chunk.begin(), chunk.end(), to)); });
          });
          return results;
        });
      });
    });

const contender discarded_by_range("flat_batch_discarded", "harrier_on_tbb_parallel_for",
                                   worker_counts(), [](std::size_t workers) {
                                     auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
                                     return measure_discarded([scheduler](std::uint64_t n) {
                                       scheduler->within([n] {
                                         tbb::parallel_for(range(0, n), [](const range& chunk) {
                                           on_tbb::start_here([&] {
                                             return on_tbb::carry(
                                                 discard_chunk(chunk.begin(), chunk.end()));
                                           });
                                         });
                                       });
                                     });
                                   });

}  // namespace
}  // namespace bench::flat_batch
