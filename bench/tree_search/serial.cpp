// SPDX-License-Identifier: Apache-2.0
// tree_search as a plain recursive function on one thread: the floor.
#include "config.hpp"

namespace bench::tree_search {
namespace {

template <class Tree>
std::uint64_t count(const Tree& tree, node at) {
  const std::size_t children = tree.children(at);
  std::uint64_t sum = 1;
  for (std::size_t i = 0; i < children; ++i) sum += count(tree, child(at, i));
  return sum;
}

template <class Tree>
measurement prepare(std::size_t) {
  return measure<Tree>([](const Tree& tree) { return count(tree, tree.root()); });
}

const contender on_geometric("uts_geometric", "serial", {1}, prepare<geometric>);
const contender on_binomial("uts_binomial", "serial", {1}, prepare<binomial>);

}  // namespace
}  // namespace bench::tree_search
