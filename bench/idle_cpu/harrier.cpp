// SPDX-License-Identifier: Apache-2.0
// idle_cpu of a runtime that has run a batch.
#include <harrier/runtime.hpp>

#include "config.hpp"

namespace bench::idle_cpu {
namespace {

harrier::task<> nothing(std::uint64_t) { co_return; }

const quantity ours("idle_cpu", "harrier", worker_counts(), "ns of CPU", [](std::size_t workers) {
  harrier::runtime runtime(workers);
  auto batch = runtime.dispatch(tasks_before, nothing);
  batch.wait();
  return measure_idle();
});

}  // namespace
}  // namespace bench::idle_cpu
