// SPDX-License-Identifier: Apache-2.0
// uneven_batch as parallel_for, whose partitioner splits by need.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <benchmark/benchmark.h>
#include <tbb/parallel_for.h>

#include <memory>

namespace bench::uneven_batch {
namespace {

const contender split("uneven_batch", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](std::uint64_t n) {
    arena->execute([n] {
      tbb::parallel_for(std::uint64_t{0}, n,
                        [n](std::uint64_t i) { benchmark::DoNotOptimize(item(i, n)); });
    });
  });
});

}  // namespace
}  // namespace bench::uneven_batch
