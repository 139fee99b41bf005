// SPDX-License-Identifier: Apache-2.0
// loop_creation: one-shot run() of a trivial coroutine, a loop of its own made and destroyed for
// it.
//
// Question  what does it cost to go from ordinary code into a coroutine and back with nothing kept?
// Unit      ns of wall time per run, on one thread. Nobody opens a descriptor or sets a timer.
// Unfair    keeping anything between two runs. For oneTBB the nearest is a task_arena of one slot,
//           made, entered and destroyed; its threads and its scheduler outlive the arena.
// Sizes     HARRIER_BENCH_LOOP_CREATION_N: 100, 10000, official 100000 runs a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::loop_creation {

/// A contender's measurement; run(i) makes what it needs, computes i in it and drops it.
template <class F>
measurement measure(F run) {
  const std::uint64_t n = parameter("LOOP_CREATION_N", 100, 10'000, 100'000);
  return measurement(static_cast<double>(n), [n, run = std::move(run)] {
    std::uint64_t sum = 0;
    const duration taken = timed([&] {
      for (std::uint64_t i = 0; i < n; ++i) sum += run(i);
    });
    check(sum == n * (n - 1) / 2, "loop_creation");
    return taken;
  });
}

}  // namespace bench::loop_creation
