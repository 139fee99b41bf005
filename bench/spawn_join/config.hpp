// SPDX-License-Identifier: Apache-2.0
// spawn_join: a coroutine spawns a trivial task and awaits its handle, over and over.
//   spawn_join        inside a runtime of one worker
//   spawn_join_alone  on a lone runner
//
// Question  what does a task of its own cost: record, handle, queue, wake of the one who waits?
// Unit      ns of wall time per spawn and join, on one thread.
// Unfair    running the task inside spawn(); joining many at once. oneTBB: run() and wait() of one task.
// Sizes     HARRIER_BENCH_SPAWN_JOIN_N: 1000, 100000, official 1000000 a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::spawn_join {

/// A contender's measurement; sum(n) adds up the values of tasks 0 .. n - 1.
template <class F>
measurement measure(F sum) {
  const std::uint64_t n = parameter("SPAWN_JOIN_N", 1'000, 100'000, 1'000'000);
  return checked("spawn_join", n, n * (n - 1) / 2, std::move(sum));
}

}  // namespace bench::spawn_join
