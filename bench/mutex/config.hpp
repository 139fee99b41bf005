// SPDX-License-Identifier: Apache-2.0
// mutex: locking and unlocking what nobody else wants, in one coroutine.
//
// Question  what does a lock cost that need not wait?
// Unit      ns of wall time for a lock and its unlock, on one thread.
// Unfair    a lock that blocks its thread cannot be held across a suspension: it does less. The serial
//           contender is a flag, which is what a lock on one loop is at the least.
// Sizes     HARRIER_BENCH_MUTEX_N: 10000, 1000000, official 10000000 pairs a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::mutex {

/// A contender's measurement; count(n) locks n times, counts inside, and gives the count.
template <class F>
measurement measure(F count) {
  const std::uint64_t n = parameter("MUTEX_N", 10'000, 1'000'000, 10'000'000);
  return checked("mutex", n, n, std::move(count));
}

}  // namespace bench::mutex
