// SPDX-License-Identifier: Apache-2.0
// runner_reentry on raw oneTBB: entering a task_arena of one slot that is kept.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <memory>

namespace bench::runner_reentry {
namespace {

const contender raw_tbb("runner_reentry", "tbb", {1}, [](std::size_t) {
  auto arena = std::make_shared<tbb_arena>(1);
  return measure([arena](std::uint64_t i) { return arena->execute([i] { return i; }); });
});

}  // namespace
}  // namespace bench::runner_reentry
