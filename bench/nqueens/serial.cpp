// SPDX-License-Identifier: Apache-2.0
// nqueens as a plain recursive function on one thread: the floor.
#include "config.hpp"

namespace bench::nqueens {
namespace {

template <int N>
std::uint64_t solve(int row, board<N> queens) {
  if (row == N) return 1;
  const columns<N> free(queens, row);
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < free.count(); ++i) {
    found += solve<N>(row + 1, place<N>(queens, row, free[i]));
  }
  return found;
}

const contender serial("nqueens", "serial", {1}, [](std::size_t) {
  return measure([]<int N>() { return solve<N>(0, board<N>()); });
});

}  // namespace
}  // namespace bench::nqueens
