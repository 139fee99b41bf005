// SPDX-License-Identifier: Apache-2.0
// runner_reentry with oneTBB as the scheduler: a coroutine as a oneTBB task in an arena that is
// kept.
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::runner_reentry {
namespace {

harrier::task<std::uint64_t> value(std::uint64_t i) { co_return i; }

const contender on_tbb_tasks("runner_reentry", "harrier_on_tbb", {1}, [](std::size_t) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(1);
  return measure([scheduler](std::uint64_t i) { return scheduler->run(value(i)); });
});

}  // namespace
}  // namespace bench::runner_reentry
