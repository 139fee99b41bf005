// SPDX-License-Identifier: Apache-2.0
// quicksort as a plain recursive function on one thread: the floor.
#include "config.hpp"

namespace bench::quicksort {
namespace {

void sort(std::uint64_t* begin, std::uint64_t* end) {
  if (end - begin <= leaf_elements) return sort_leaf(begin, end);
  std::uint64_t* middle = partition(begin, end);
  sort(begin, middle);
  sort(middle, end);
}

const contender serial("quicksort", "serial", {1}, [](std::size_t) { return measure(sort); });

}  // namespace
}  // namespace bench::quicksort
