// SPDX-License-Identifier: Apache-2.0
// semaphore: taking a unit that is there and giving it back, in one coroutine.
//
// Question  what do acquire and release cost when nobody waits?
// Unit      ns of wall time for an acquire and its release, on one thread.
// Unfair    a semaphore that blocks its thread; it does less. The serial contender is a number.
// Sizes     HARRIER_BENCH_SEMAPHORE_N: 10000, 1000000, official 10000000 pairs a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::semaphore {

/// A contender's measurement; count(n) acquires and releases n times and gives n.
template <class F>
measurement measure(F count) {
  const std::uint64_t n = parameter("SEMAPHORE_N", 10'000, 1'000'000, 10'000'000);
  return checked("semaphore", n, n, std::move(count));
}

}  // namespace bench::semaphore
