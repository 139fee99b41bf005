// SPDX-License-Identifier: Apache-2.0
// runner_reentry: run() of a trivial coroutine on a runner that has run before.
//
// Question  what does it cost to go from ordinary code into a coroutine and back, over and over?
// Unit      ns of wall time per run, on one thread. Nobody opens a descriptor or sets a timer.
// Unfair    a body that the compiler can see through. For oneTBB the nearest is entering a
//           task_arena of one slot that is kept.
// Sizes     HARRIER_BENCH_RUNNER_REENTRY_N: 1000, 100000, official 1000000 runs a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::runner_reentry {

/// A contender's measurement; run(i) computes i.
template <class F>
measurement measure(F run) {
  const std::uint64_t n = parameter("RUNNER_REENTRY_N", 1'000, 100'000, 1'000'000);
  return measurement(static_cast<double>(n), [n, run = std::move(run)] {
    std::uint64_t sum = 0;
    const duration taken = timed([&] {
      for (std::uint64_t i = 0; i < n; ++i) sum += run(i);
    });
    check(sum == n * (n - 1) / 2, "runner_reentry");
    return taken;
  });
}

}  // namespace bench::runner_reentry
