// SPDX-License-Identifier: Apache-2.0
// cross_thread_post on raw oneTBB: task_arena::enqueue into an arena of one thread that is not the
// caller.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

namespace bench::cross_thread_post {
namespace {

auto make_post() {
  auto arena = std::make_shared<tbb_arena>(1, caller::stays_outside);
  return [arena](std::uint64_t i, sink& to) { arena->enqueue([i, &to] { to.take(i); }); };
}

const contender throughput("cross_thread_post", "tbb", {1},
                           [](std::size_t) { return measure(make_post()); });
const contender latency("post_latency", "tbb", {1},
                        [](std::size_t) { return measure_latency(make_post()); });

}  // namespace
}  // namespace bench::cross_thread_post
