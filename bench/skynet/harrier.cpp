// SPDX-License-Identifier: Apache-2.0
// skynet as harrier coroutines: nine children forked, the tenth awaited in place, joined in reverse
// order.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <memory>

namespace bench::skynet {
namespace {

harrier::task<std::uint64_t> skynet(std::uint64_t first, std::uint64_t count) {
  if (count == 1) co_return first;
  const std::uint64_t part = count / 10;
  harrier::fork_stack<std::uint64_t, 9> children;
  for (int i = 0; i < 9; ++i, first += part) children.fork(skynet(first, part));
  auto tenth = skynet(first, part);
  std::uint64_t sum = co_await tenth;
  while (!children.empty()) {
    auto join = children.join();
    sum += co_await join;
  }
  co_return sum;
}

const contender ours("skynet", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](std::uint64_t first, std::uint64_t count) {
    return runtime->run(skynet(first, count));
  });
});

}  // namespace
}  // namespace bench::skynet
