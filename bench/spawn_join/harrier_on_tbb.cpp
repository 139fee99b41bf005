// SPDX-License-Identifier: Apache-2.0
// spawn_join with oneTBB as the scheduler: each child is an oneTBB task that resumes a coroutine;
// the parent suspends until that continues it (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::spawn_join {
namespace {

harrier::task<std::uint64_t> child(std::uint64_t i) { co_return i; }

harrier::task<std::uint64_t> sum_tasks(std::uint64_t n) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    on_tbb::forked<std::uint64_t> spawned(child(i));
    sum += co_await spawned;
  }
  co_return sum;
}

const contender on_tbb_tasks("spawn_join", "harrier_on_tbb", {1}, [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler](std::uint64_t n) { return scheduler->run(sum_tasks(n)); });
});

}  // namespace
}  // namespace bench::spawn_join
