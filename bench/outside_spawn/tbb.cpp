// SPDX-License-Identifier: Apache-2.0
// outside_spawn on raw oneTBB: task_arena::enqueue from a thread that does not join the arena.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

namespace bench::outside_spawn {
namespace {

auto spawn_on(std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers, caller::stays_outside);
  return [arena](std::uint64_t first, std::uint64_t last, countdown& left) {
    for (std::uint64_t i = first; i < last; ++i) {
      arena->enqueue([i, &left] { left.count(i); });
    }
  };
}

const contender raw_tbb("outside_spawn", "tbb", worker_counts(),
                        [](std::size_t workers) { return measure(spawn_on(workers)); });
const contender in_storm("spawn_storm", "tbb", worker_counts(),
                         [](std::size_t workers) { return measure_storm(spawn_on(workers)); });

}  // namespace
}  // namespace bench::outside_spawn
