// SPDX-License-Identifier: Apache-2.0
// when_all: ten tasks that end without waiting, joined as one, again and again.
//
// Question  what does when_all add to a task that needs no wait?
// Unit      ns of wall time per task: making it, running it, its part of the join.
// Unfair    tasks that are known to be ready and so never made. oneTBB's tasks are functions: no frame,
//           no result. The serial contender calls ten functions.
// Sizes     HARRIER_BENCH_WHEN_ALL_N: 1000, 100000, official 1000000 joins of ten a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::when_all {

inline constexpr std::uint64_t width = 10;

/// A contender's measurement; join(n) joins ten tasks n times, and gives the sum of their values: one each.
template <class F>
measurement measure(F join) {
  const std::uint64_t n = parameter("WHEN_ALL_N", 1'000, 100'000, 1'000'000);
  return checked("when_all", n, n * width, std::move(join), n * width);
}

}  // namespace bench::when_all
