// SPDX-License-Identifier: Apache-2.0
// nqueens as harrier coroutines: all legal columns of a row but the last forked, the last awaited
// in place, joined in reverse order.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <cstddef>
#include <memory>

namespace bench::nqueens {
namespace {

template <int N>
harrier::task<std::uint64_t> solve(int row, board<N> queens) {
  if (row == N) co_return 1;
  const columns<N> free(queens, row);
  if (free.count() == 0) co_return 0;
  const std::size_t last = free.count() - 1;
  harrier::fork_stack<std::uint64_t, N> children;
  for (std::size_t i = 0; i < last; ++i) {
    children.fork(solve<N>(row + 1, place<N>(queens, row, free[i])));
  }
  auto in_place = solve<N>(row + 1, place<N>(queens, row, free[last]));
  std::uint64_t sum = co_await in_place;
  while (!children.empty()) {
    auto join = children.join();
    sum += co_await join;
  }
  co_return sum;
}

const contender ours("nqueens", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime]<int N>() { return runtime->run(solve<N>(0, board<N>())); });
});

}  // namespace
}  // namespace bench::nqueens
