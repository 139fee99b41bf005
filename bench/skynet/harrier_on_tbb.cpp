// SPDX-License-Identifier: Apache-2.0
// skynet as harrier coroutines with oneTBB as the scheduler: nine children are oneTBB tasks that
// resume a coroutine each, the tenth is awaited in place (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::skynet {
namespace {

harrier::task<std::uint64_t> skynet(std::uint64_t first, std::uint64_t count) {
  if (count == 1) co_return first;
  const std::uint64_t part = count / 10;
  on_tbb::forked<std::uint64_t> child0(skynet(first, part));
  on_tbb::forked<std::uint64_t> child1(skynet(first + part, part));
  on_tbb::forked<std::uint64_t> child2(skynet(first + 2 * part, part));
  on_tbb::forked<std::uint64_t> child3(skynet(first + 3 * part, part));
  on_tbb::forked<std::uint64_t> child4(skynet(first + 4 * part, part));
  on_tbb::forked<std::uint64_t> child5(skynet(first + 5 * part, part));
  on_tbb::forked<std::uint64_t> child6(skynet(first + 6 * part, part));
  on_tbb::forked<std::uint64_t> child7(skynet(first + 7 * part, part));
  on_tbb::forked<std::uint64_t> child8(skynet(first + 8 * part, part));
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

const contender on_tbb_tasks("skynet", "harrier_on_tbb", worker_counts(), [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler](std::uint64_t first, std::uint64_t count) {
    return scheduler->run(skynet(first, count));
  });
});

}  // namespace
}  // namespace bench::skynet
