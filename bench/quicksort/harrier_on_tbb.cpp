// SPDX-License-Identifier: Apache-2.0
// quicksort as harrier coroutines with oneTBB as the scheduler: the lower side is a oneTBB task
// that resumes a coroutine, the upper is awaited in place (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::quicksort {
namespace {

harrier::task<> sort(std::uint64_t* begin, std::uint64_t* end) {
  if (end - begin <= leaf_elements) {
    sort_leaf(begin, end);
    co_return;
  }
  std::uint64_t* middle = partition(begin, end);
  on_tbb::forked<void> lower(sort(begin, middle));
  auto upper = sort(middle, end);
  co_await upper;
  co_await lower;
}

const contender on_tbb_tasks("quicksort", "harrier_on_tbb", worker_counts(),
                             [](std::size_t workers) {
                               auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
                               return measure(
                                   [scheduler](std::uint64_t* begin, std::uint64_t* end) {
                                     scheduler->run(sort(begin, end));
                                   });
                             });

}  // namespace
}  // namespace bench::quicksort
