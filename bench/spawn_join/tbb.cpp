// SPDX-License-Identifier: Apache-2.0
// spawn_join on raw oneTBB: run() and wait() of one task at a time.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

#include <memory>

namespace bench::spawn_join {
namespace {

std::uint64_t sum_tasks(std::uint64_t n) {
  std::uint64_t sum = 0;
  tbb::task_group group;
  for (std::uint64_t i = 0; i < n; ++i) {
    group.run([i, &sum] { sum += i; });
    group.wait();
  }
  return sum;
}

measurement make(std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](std::uint64_t n) { return arena->execute([n] { return sum_tasks(n); }); });
}

const contender in_runtime("spawn_join", "tbb", {1}, make);
const contender alone("spawn_join_alone", "tbb", {1}, make);

}  // namespace
}  // namespace bench::spawn_join
