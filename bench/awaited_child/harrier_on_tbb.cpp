// SPDX-License-Identifier: Apache-2.0
// awaited_child with oneTBB as the scheduler: it carries the parent; children are awaited in place,
// so that oneTBB has no part in them.
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::awaited_child {
namespace {

[[gnu::noinline]] harrier::task<std::uint64_t> child(std::uint64_t i) { co_return i; }

harrier::task<std::uint64_t> sum_children(std::uint64_t n) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    auto next = child(i);
    sum += co_await next;
  }
  co_return sum;
}

const contender on_tbb_tasks("awaited_child", "harrier_on_tbb", {1}, [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler](std::uint64_t n) { return scheduler->run(sum_children(n)); });
});

}  // namespace
}  // namespace bench::awaited_child
