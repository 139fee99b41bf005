// SPDX-License-Identifier: Apache-2.0
// quicksort as harrier coroutines: the lower side forked, the upper awaited in place.
#include <harrier/runtime.hpp>

#include "config.hpp"

namespace bench::quicksort {
namespace {

harrier::task<> sort(std::uint64_t* begin, std::uint64_t* end) {
  if (end - begin <= leaf_elements) {
    sort_leaf(begin, end);
    co_return;
  }
  std::uint64_t* middle = partition(begin, end);
  auto lower = co_await harrier::fork(sort(begin, middle));
  auto upper = sort(middle, end);
  co_await upper;
  co_await lower;
}

const contender ours("quicksort", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure(
      [runtime](std::uint64_t* begin, std::uint64_t* end) { runtime->run(sort(begin, end)); });
});

}  // namespace
}  // namespace bench::quicksort
