// SPDX-License-Identifier: Apache-2.0
// nqueens as harrier coroutines with oneTBB as the scheduler: all legal columns of a row but the
// last are oneTBB tasks that resume a coroutine each, the last is awaited in place
// (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

#include <optional>

namespace bench::nqueens {
namespace {

template <int N>
harrier::task<std::uint64_t> solve(int row, board<N> queens) {
  if (row == N) co_return 1;
  const columns<N> free(queens, row);
  if (free.count() == 0) co_return 0;
  const std::size_t last = free.count() - 1;
  std::array<std::optional<on_tbb::forked<std::uint64_t>>, N> children;
  for (std::size_t i = 0; i < last; ++i) {
    children[i].emplace(solve<N>(row + 1, place<N>(queens, row, free[i])));
  }
  auto in_place = solve<N>(row + 1, place<N>(queens, row, free[last]));
  std::uint64_t sum = co_await in_place;
  for (std::size_t i = last; i > 0; --i) sum += co_await *children[i - 1];
  co_return sum;
}

const contender on_tbb_tasks("nqueens", "harrier_on_tbb", worker_counts(), [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler]<int N>() { return scheduler->run(solve<N>(0, board<N>())); });
});

}  // namespace
}  // namespace bench::nqueens
