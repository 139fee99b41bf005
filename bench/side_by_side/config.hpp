// SPDX-License-Identifier: Apache-2.0
// side_by_side: a batch of coroutines and a tbb::parallel_for of the same size at the same time, on one
// set of threads.
//
// Question  do the two share oneTBB's threads, or stand in each other's way?
// Unit      ns of wall time per item, over both halves. The contender `alone` runs the same halves
//           one after the other: the ratio to it is what running together costs (1 is the ideal).
// Unfair    halves of unlike size: the longer one would hide the other. Halves shorter than some
//           tens of ms: a slot's stand-in comes after 10 to 20 ms, in `alone` and together.
// Sizes     HARRIER_BENCH_SIDE_N items in each half, of about 1 us: 10000, 100000, official 500000.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::side_by_side {

inline std::uint64_t size() { return parameter("SIDE_N", 10'000, 100'000, 500'000); }

/// About a microsecond of arithmetic that touches no memory.
inline std::uint64_t work(std::uint64_t seed) {
  std::uint64_t x = seed | 1;
  for (int round = 0; round < 600; ++round) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

}  // namespace bench::side_by_side
