// SPDX-License-Identifier: Apache-2.0
// nqueens as harrier coroutines: all legal columns of a row but the last forked, the last awaited
// in place, joined in reverse order.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>

namespace bench::nqueens {
namespace {

template <int N>
harrier::task<std::uint64_t> solve(int row, board<N> queens) {
  if (row == N) co_return 1;
  const columns<N> free(queens, row);
  if (free.count() == 0) co_return 0;
  const std::size_t last = free.count() - 1;
  std::array<std::optional<harrier::forked<std::uint64_t>>, N> children;
  for (std::size_t i = 0; i < last; ++i) {
    auto child = co_await harrier::fork(solve<N>(row + 1, place<N>(queens, row, free[i])));
    children[i].emplace(std::move(child));
  }
  auto in_place = solve<N>(row + 1, place<N>(queens, row, free[last]));
  std::uint64_t sum = co_await in_place;
  for (std::size_t i = last; i-- > 0;) sum += co_await *children[i];
  co_return sum;
}

const contender ours("nqueens", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime]<int N>() { return runtime->run(solve<N>(0, board<N>())); });
});

}  // namespace
}  // namespace bench::nqueens
