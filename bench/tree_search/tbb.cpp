// SPDX-License-Identifier: Apache-2.0
// tree_search on raw oneTBB as the public suites write it: a task_group per node, the last child
// run by run_and_wait, the children's counts in an array.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

#include <memory>
#include <numeric>

namespace bench::tree_search {
namespace {

template <class Tree>
std::uint64_t count(const Tree& tree, node at) {
  const std::size_t children = tree.children(at);
  if (children == 0) return 1;
  std::vector<std::uint64_t> counts(children);
  tbb::task_group group;
  const std::size_t last = children - 1;
  for (std::size_t i = 0; i < last; ++i) {
    group.run([=, &tree, &counts] { counts[i] = count(tree, child(at, i)); });
  }
  group.run_and_wait([=, &tree, &counts] { counts[last] = count(tree, child(at, last)); });
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{1});
}

template <class Tree>
measurement prepare(std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure<Tree>([arena](const Tree& tree) {
    return arena->execute([&tree] { return count(tree, tree.root()); });
  });
}

const contender on_geometric("uts_geometric", "tbb", worker_counts(), prepare<geometric>);
const contender on_binomial("uts_binomial", "tbb", worker_counts(), prepare<binomial>);

}  // namespace
}  // namespace bench::tree_search
