// SPDX-License-Identifier: Apache-2.0
// skynet as harrier coroutines: nine children forked, the tenth awaited in place, joined in reverse
// order. The handles are named one by one, which is the shape that every compiler gets right.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <memory>

namespace bench::skynet {
namespace {

harrier::task<std::uint64_t> skynet(std::uint64_t first, std::uint64_t count) {
  if (count == 1) co_return first;
  const std::uint64_t part = count / 10;
  auto child0 = co_await harrier::fork(skynet(first, part));
  auto child1 = co_await harrier::fork(skynet(first + part, part));
  auto child2 = co_await harrier::fork(skynet(first + 2 * part, part));
  auto child3 = co_await harrier::fork(skynet(first + 3 * part, part));
  auto child4 = co_await harrier::fork(skynet(first + 4 * part, part));
  auto child5 = co_await harrier::fork(skynet(first + 5 * part, part));
  auto child6 = co_await harrier::fork(skynet(first + 6 * part, part));
  auto child7 = co_await harrier::fork(skynet(first + 7 * part, part));
  auto child8 = co_await harrier::fork(skynet(first + 8 * part, part));
  auto child9 = skynet(first + 9 * part, part);
  std::uint64_t sum = co_await child9;
  sum += co_await child8;
  sum += co_await child7;
  sum += co_await child6;
  sum += co_await child5;
  sum += co_await child4;
  sum += co_await child3;
  sum += co_await child2;
  sum += co_await child1;
  sum += co_await child0;
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
