// SPDX-License-Identifier: Apache-2.0
// fib as harrier coroutines: the first child is forked, the second awaited in place.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <memory>

namespace bench::fib {
namespace {

harrier::task<std::uint64_t> fib(unsigned n) {
  if (n < 2) co_return n;
  auto forked = co_await harrier::fork(fib(n - 1));
  auto second = fib(n - 2);
  const std::uint64_t b = co_await second;
  const std::uint64_t a = co_await forked;
  co_return a + b;
}

measurement prepare(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](unsigned n) { return runtime->run(fib(n)); });
}

const contender ours("fib", "harrier", worker_counts(), prepare);
const contender crowded("fib_oversubscribed", "harrier", oversubscribed_workers(), prepare);

}  // namespace
}  // namespace bench::fib
