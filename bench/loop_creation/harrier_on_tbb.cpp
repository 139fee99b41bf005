// SPDX-License-Identifier: Apache-2.0
// loop_creation with oneTBB as the scheduler: a task_arena of one slot and a task_group are made
// for one coroutine and destroyed.
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::loop_creation {
namespace {

harrier::task<std::uint64_t> value(std::uint64_t i) { co_return i; }

const contender on_tbb_tasks("loop_creation", "harrier_on_tbb", {1}, [](std::size_t) {
  return measure([](std::uint64_t i) { return on_tbb::scheduler(1).run(value(i)); });
});

}  // namespace
}  // namespace bench::loop_creation
