// SPDX-License-Identifier: Apache-2.0
// outside_spawn as runtime::spawn from ordinary code; the handles are dropped, which detaches.
#include <harrier/runtime.hpp>

#include "config.hpp"

namespace bench::outside_spawn {
namespace {

// The countdown outlives every task: the round waits for it.
harrier::task<> count(std::uint64_t i, countdown& left) {
  left.count(i);
  co_return;
}

auto spawn_on(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return [runtime](std::uint64_t first, std::uint64_t last, countdown& left) {
    for (std::uint64_t i = first; i < last; ++i) runtime->spawn(count(i, left)).detach();
  };
}

const contender ours("outside_spawn", "harrier", worker_counts(),
                     [](std::size_t workers) { return measure(spawn_on(workers)); });
const contender in_storm("spawn_storm", "harrier", worker_counts(),
                         [](std::size_t workers) { return measure_storm(spawn_on(workers)); });

}  // namespace
}  // namespace bench::outside_spawn
