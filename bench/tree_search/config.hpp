// SPDX-License-Identifier: Apache-2.0
// tree_search: counts the nodes of a tree that exists only as a rule ("unbalanced tree search", UTS).
//   uts_geometric  every node above a depth limit has 4 children on average, geometrically
//                  distributed: wide, of limited depth, subtrees of very different size
//   uts_binomial   the root has many children; every other node has 8 with a probability just below
//                  1/8, else none: thin, deep, and most of the tree in few of the root's children
//
// Question  how fast is work spread whose place nobody can foresee?
// Unit      ns of wall time per node, all workers together.
// Unfair    another random function (all use children() and child() below), a cut-off to serial
//           code, knowing how many nodes are below one. The original seeds each node by SHA-1,
//           which is hundreds of ns of work; this one by a 64-bit mix of a few, so that nearly all
//           of the time is scheduling, and node counts are not those of the published trees.
// Sizes     HARRIER_BENCH_UTS_DEPTH: 5, 8, official 11 (limit of the geometric tree);
//           HARRIER_BENCH_UTS_ROOTS: 20, 200, official 2000 (children of the binomial root).
#pragma once

#include "../common/contender.hpp"
#include "../common/mix.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench::tree_search {

/// A node: the state of its random generator, and how far from the root it is.
class node {
 public:
  node(std::uint64_t random_state, unsigned depth_below_root)
      : state(random_state), depth(depth_below_root) {}
  std::uint64_t state;
  unsigned depth;
};

inline node child(const node& parent, std::size_t index) {
  return node(split(parent.state, index), parent.depth + 1);
}

class geometric {
 public:
  static geometric of_this_size() {
    return geometric(static_cast<unsigned>(parameter("UTS_DEPTH", 5, 8, 11)));
  }
  explicit geometric(unsigned depth_limit) : depth_limit_(depth_limit) {}

  node root() const { return node(mix(12), 0); }
  /// The number of nodes at the three sizes, else 0.
  std::uint64_t known_nodes() const {
    return depth_limit_ == 5    ? 1'299
           : depth_limit_ == 8  ? 90'090
           : depth_limit_ == 11 ? 5'753'706
                                : 0;
  }
  /// At least k with probability (4/5)^k; the root's 4 are given. In integers, so that every
  /// machine draws the same tree.
  [[gnu::noinline]] std::size_t children(const node& of) const {
    if (of.depth >= depth_limit_) return 0;
    if (of.depth == 0) return 4;
    std::size_t count = 0;
    for (std::uint64_t bound = UINT64_MAX / 5 * 4; of.state < bound; bound = bound / 5 * 4) ++count;
    return count;
  }

 private:
  unsigned depth_limit_;
};

class binomial {
 public:
  static binomial of_this_size() { return binomial(parameter("UTS_ROOTS", 20, 200, 2000)); }
  explicit binomial(std::size_t root_children) : root_children_(root_children) {}

  node root() const { return node(mix(4), 0); }
  /// The number of nodes at the three sizes, else 0.
  std::uint64_t known_nodes() const {
    return root_children_ == 20     ? 13'821
           : root_children_ == 200  ? 17'873
           : root_children_ == 2000 ? 2'789'369
                                    : 0;
  }
  /// 8 with probability 0.124875, so that a child of the root stands for 1000 nodes on average.
  [[gnu::noinline]] std::size_t children(const node& of) const {
    if (of.depth == 0) return root_children_;
    return of.state < UINT64_MAX / 1'000'000 * 124'875 ? 8 : 0;
  }

 private:
  std::size_t root_children_;
};

/// The number of nodes that every contender must find: written down, or else counted with a stack.
template <class Tree>
std::uint64_t expected(const Tree& tree) {
  if (tree.known_nodes() != 0) return tree.known_nodes();
  std::uint64_t count = 0;
  std::vector<node> left(1, tree.root());
  for (; !left.empty(); ++count) {
    const node next = left.back();
    left.pop_back();
    const std::size_t children = tree.children(next);
    for (std::size_t i = 0; i < children; ++i) left.push_back(child(next, i));
  }
  return count;
}

/// A contender's measurement, given how it counts the nodes of a tree.
template <class Tree, class F>
measurement measure(F count) {
  const Tree tree = Tree::of_this_size();
  const std::uint64_t wanted = expected(tree);
  return measurement(static_cast<double>(wanted), [tree, wanted, count] {
    std::uint64_t found = 0;
    const duration taken = timed([&] { found = count(tree); });
    check(found == wanted, "tree_search");
    return taken;
  });
}

}  // namespace bench::tree_search
