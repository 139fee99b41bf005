// SPDX-License-Identifier: Apache-2.0
// awaited_child on raw oneTBB: each child is a task, run and waited for.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

#include <memory>

namespace bench::awaited_child {
namespace {

std::uint64_t sum_children(std::uint64_t n) {
  std::uint64_t sum = 0;
  tbb::task_group group;
  for (std::uint64_t i = 0; i < n; ++i) {
    group.run_and_wait([i, &sum] { sum += i; });
  }
  return sum;
}

const contender raw_tbb("awaited_child", "tbb", {1}, [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure(
      [arena](std::uint64_t n) { return arena->execute([n] { return sum_children(n); }); });
});

}  // namespace
}  // namespace bench::awaited_child
