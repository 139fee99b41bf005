// SPDX-License-Identifier: Apache-2.0
// tree_search as harrier coroutines: all children of a node but the last forked, the last awaited
// in place, joined in reverse order.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <memory>

namespace bench::tree_search {
namespace {

// The tree outlives every task: the round waits for the root.
template <class Tree>
harrier::task<std::uint64_t> count(const Tree& tree, node at) {
  const std::size_t children = tree.children(at);
  if (children == 0) co_return 1;
  const std::size_t last = children - 1;
  std::vector<harrier::forked<std::uint64_t>> forked;
  forked.reserve(last);
  for (std::size_t i = 0; i < last; ++i) {
    auto offered = co_await harrier::fork(count(tree, child(at, i)));
    forked.push_back(std::move(offered));
  }
  auto in_place = count(tree, child(at, last));
  std::uint64_t sum = co_await in_place;
  for (; !forked.empty(); forked.pop_back()) sum += co_await forked.back();
  co_return sum + 1;
}

template <class Tree>
measurement prepare(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure<Tree>(
      [runtime](const Tree& tree) { return runtime->run(count(tree, tree.root())); });
}

const contender on_geometric("uts_geometric", "harrier", worker_counts(), prepare<geometric>);
const contender on_binomial("uts_binomial", "harrier", worker_counts(), prepare<binomial>);

}  // namespace
}  // namespace bench::tree_search
