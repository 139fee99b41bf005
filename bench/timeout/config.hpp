// SPDX-License-Identifier: Apache-2.0
// timeout: a limit of an hour on a task that ends at once, by the true clock.
//
// Question  what does a limit cost that is never reached?
// Unit      ns of wall time per limited task: making the task and the scope, reading the clock, setting
//           the timer, running the task, taking the timer back.
// Unfair    a clock that is read once a turn; a limit that is set only if the task suspends. oneTBB has
//           no limits. The serial contender reads the clock and keeps the deadlines in a heap.
// Sizes     HARRIER_BENCH_TIMEOUT_N: 10000, 1000000, official 10000000 limits a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::timeout {

/// A contender's measurement; limit(n) sets and takes back n limits, and gives n.
template <class F>
measurement measure(F limit) {
  const std::uint64_t n = parameter("TIMEOUT_N", 10'000, 1'000'000, 10'000'000);
  return checked("timeout", n, n, std::move(limit));
}

}  // namespace bench::timeout
