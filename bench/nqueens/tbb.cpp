// SPDX-License-Identifier: Apache-2.0
// nqueens on raw oneTBB as the public suites write it: a task_group per node, the last child run by
// run_and_wait.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

#include <memory>

namespace bench::nqueens {
namespace {

template <int N>
std::uint64_t solve(int row, board<N> queens) {
  if (row == N) return 1;
  const columns<N> free(queens, row);
  if (free.count() == 0) return 0;
  std::array<std::uint64_t, N> found;
  tbb::task_group group;
  const std::size_t last = free.count() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    const board<N> next = place<N>(queens, row, free[i]);
    group.run([=, &found] { found[i] = solve<N>(row + 1, next); });
  }
  const board<N> next = place<N>(queens, row, free[last]);
  group.run_and_wait([=, &found] { found[last] = solve<N>(row + 1, next); });
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= last; ++i) sum += found[i];
  return sum;
}

const contender raw_tbb("nqueens", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure(
      [arena]<int N>() { return arena->execute([] { return solve<N>(0, board<N>()); }); });
});

}  // namespace
}  // namespace bench::nqueens
