// SPDX-License-Identifier: Apache-2.0
// fib as harrier coroutines with oneTBB as the scheduler: every forked child is an oneTBB task that
// resumes a coroutine, and a parent whose child is not done suspends and is resumed by that child
// (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::fib {
namespace {

harrier::task<std::uint64_t> fib(unsigned n) {
  if (n < 2) co_return n;
  on_tbb::forked<std::uint64_t> forked(fib(n - 1));
  auto second = fib(n - 2);
  const std::uint64_t b = co_await second;
  const std::uint64_t a = co_await forked;
  co_return a + b;
}

measurement prepare(std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler](unsigned n) { return scheduler->run(fib(n)); });
}

const contender on_tbb_tasks("fib", "harrier_on_tbb", worker_counts(), prepare);
const contender crowded("fib_oversubscribed", "harrier_on_tbb", oversubscribed_workers(), prepare);

}  // namespace
}  // namespace bench::fib
