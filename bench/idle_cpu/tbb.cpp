// SPDX-License-Identifier: Apache-2.0
// idle_cpu on raw oneTBB.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

namespace bench::idle_cpu {
namespace {

const quantity raw_tbb("idle_cpu", "tbb", worker_counts(), "ns of CPU", [](std::size_t workers) {
  tbb_arena arena(workers);
  arena.execute([] {
    tbb::task_group group;
    for (std::uint64_t i = 0; i < tasks_before; ++i) group.run([] {});
    group.wait();
  });
  return measure_idle();
});

}  // namespace
}  // namespace bench::idle_cpu
