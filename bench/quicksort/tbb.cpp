// SPDX-License-Identifier: Apache-2.0
// quicksort on raw oneTBB: parallel_invoke of the two sides.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/parallel_invoke.h>

namespace bench::quicksort {
namespace {

void sort(std::uint64_t* begin, std::uint64_t* end) {
  if (end - begin <= leaf_elements) return sort_leaf(begin, end);
  std::uint64_t* middle = partition(begin, end);
  tbb::parallel_invoke([=] { sort(begin, middle); }, [=] { sort(middle, end); });
}

const contender raw_tbb("quicksort", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](std::uint64_t* begin, std::uint64_t* end) {
    arena->execute([=] { sort(begin, end); });
  });
});

}  // namespace
}  // namespace bench::quicksort
