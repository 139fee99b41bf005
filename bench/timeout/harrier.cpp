// SPDX-License-Identifier: Apache-2.0
// timeout as harrier's timeout_scope: on a lone runner (harrier_alone) and on workers (harrier).
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <chrono>
#include <memory>

namespace bench::timeout {
namespace {

harrier::task<std::uint64_t> one() { co_return 1; }

harrier::task<std::uint64_t> limit_often(std::uint64_t times) {
  std::uint64_t sum = 0;
  for (; times > 0; --times) {
    harrier::timeout_scope scope(std::chrono::hours(1));
    auto limited = scope.run(one());
    sum += co_await limited;
  }
  co_return sum;
}

measurement alone(std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t n) { return runner->run(limit_often(n)); });
}

measurement on_workers(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](std::uint64_t n) { return runtime->run(limit_often(n)); });
}

const contender on_runner("timeout", "harrier_alone", {1}, alone);
const contender on_worker("timeout", "harrier", {1}, on_workers);

}  // namespace
}  // namespace bench::timeout
