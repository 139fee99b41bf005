// SPDX-License-Identifier: Apache-2.0
// awaited_child on a lone runner.
#include <harrier/runner.hpp>

#include "config.hpp"

#include <memory>

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

const contender ours("awaited_child", "harrier", {1}, [](std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t n) { return runner->run(sum_children(n)); });
});

}  // namespace
}  // namespace bench::awaited_child
