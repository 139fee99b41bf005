// SPDX-License-Identifier: Apache-2.0
// tree_search as harrier coroutines with oneTBB as the scheduler: all children of a node but the
// last are oneTBB tasks that resume a coroutine each, the last is awaited in place
// (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

#include <memory>
#include <optional>

namespace bench::tree_search {
namespace {

// The tree outlives every task: the round waits for the root.
template <class Tree>
harrier::task<std::uint64_t> count(const Tree& tree, node at) {
  const std::size_t children = tree.children(at);
  if (children == 0) co_return 1;
  const std::size_t last = children - 1;
  // Optional, because a forked child does not move.
  std::vector<std::optional<on_tbb::forked<std::uint64_t>>> forked(last);
  for (std::size_t i = 0; i < last; ++i) forked[i].emplace(count(tree, child(at, i)));
  auto in_place = count(tree, child(at, last));
  std::uint64_t sum = co_await in_place;
  for (std::size_t i = last; i > 0; --i) sum += co_await *forked[i - 1];
  co_return sum + 1;
}

template <class Tree>
measurement prepare(std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure<Tree>(
      [scheduler](const Tree& tree) { return scheduler->run(count(tree, tree.root())); });
}

const contender on_geometric("uts_geometric", "harrier_on_tbb", worker_counts(),
                             prepare<geometric>);
const contender on_binomial("uts_binomial", "harrier_on_tbb", worker_counts(), prepare<binomial>);

}  // namespace
}  // namespace bench::tree_search
