// SPDX-License-Identifier: Apache-2.0
// outside_spawn with oneTBB as the scheduler: task_arena::enqueue of a function that runs a
// coroutine.
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::outside_spawn {
namespace {

// The countdown outlives every task: the round waits for it.
harrier::task<> count(std::uint64_t i, countdown& left) {
  left.count(i);
  co_return;
}

auto spawn_on(std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers, caller::stays_outside);
  return [arena](std::uint64_t first, std::uint64_t last, countdown& left) {
    for (std::uint64_t i = first; i < last; ++i) {
      arena->enqueue(
          [i, &left] { on_tbb::start_here([&] { return on_tbb::carry(count(i, left)); }); });
    }
  };
}

const contender on_tbb_tasks("outside_spawn", "harrier_on_tbb", worker_counts(),
                             [](std::size_t workers) { return measure(spawn_on(workers)); });
const contender in_storm("spawn_storm", "harrier_on_tbb", worker_counts(),
                         [](std::size_t workers) { return measure_storm(spawn_on(workers)); });

}  // namespace
}  // namespace bench::outside_spawn
