// SPDX-License-Identifier: Apache-2.0
// spawn_join as harrier coroutines.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <memory>

namespace bench::spawn_join {
namespace {

harrier::task<std::uint64_t> child(std::uint64_t i) { co_return i; }

harrier::task<std::uint64_t> sum_tasks(std::uint64_t n) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    auto handle = harrier::spawn(child(i));
    sum += co_await handle;
  }
  co_return sum;
}

const contender in_runtime("spawn_join", "harrier", {1}, [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](std::uint64_t n) { return runtime->run(sum_tasks(n)); });
});

const contender alone("spawn_join_alone", "harrier", {1}, [](std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t n) { return runner->run(sum_tasks(n)); });
});

}  // namespace
}  // namespace bench::spawn_join
