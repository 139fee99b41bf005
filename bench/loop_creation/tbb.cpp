// SPDX-License-Identifier: Apache-2.0
// loop_creation on raw oneTBB: a task_arena of one slot is made, runs one function and is
// destroyed.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

namespace bench::loop_creation {
namespace {

const contender raw_tbb("loop_creation", "tbb", {1}, [](std::size_t) {
  return measure([](std::uint64_t i) {
    tbb::task_arena arena(1);
    return arena.execute([i] { return i; });
  });
});

}  // namespace
}  // namespace bench::loop_creation
