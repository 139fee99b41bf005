// SPDX-License-Identifier: Apache-2.0
// cross_thread_post with oneTBB as the scheduler: task_arena::enqueue of a function that runs a
// coroutine.
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::cross_thread_post {
namespace {

// The sink outlives every task: the round waits for the last.
harrier::task<> deliver(std::uint64_t i, sink& to) {
  to.take(i);
  co_return;
}

auto make_post() {
  auto arena = std::make_shared<tbb_arena>(1, caller::stays_outside);
  return [arena](std::uint64_t i, sink& to) {
    arena->enqueue([i, &to] { on_tbb::start_here([&] { return on_tbb::carry(deliver(i, to)); }); });
  };
}

const contender throughput("cross_thread_post", "harrier_on_tbb", {1},
                           [](std::size_t) { return measure(make_post()); });
const contender latency("post_latency", "harrier_on_tbb", {1},
                        [](std::size_t) { return measure_latency(make_post()); });

}  // namespace
}  // namespace bench::cross_thread_post
