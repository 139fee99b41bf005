// SPDX-License-Identifier: Apache-2.0
// batch_sleepers: a long batch of items that each sleep for 10 to 100 ms, a fixed number at a time.
//
// Question  is the window always full? How much memory does an item under way take?
// Unit      ns of wall time per item, from the call until the batch is done; peak memory. ideal: the
//           window is full from the first moment to the last. It runs nothing: its time is computed.
// Unfair    timing the first and the last window: at the official size they are a fiftieth of the whole.
// Sizes     HARRIER_BENCH_BATCH_SLEEPERS_N: 2000, 300000, official 10000000 items, of which a window of
//           HARRIER_BENCH_BATCH_SLEEPERS_WINDOW: 1000, 10000, official 100000 at a time.
#pragma once

#include "../common/contender.hpp"
#include "../common/mix.hpp"

#include <chrono>
#include <cstdint>

namespace bench::batch_sleepers {

inline std::uint64_t size() { return parameter("BATCH_SLEEPERS_N", 2'000, 300'000, 10'000'000); }
inline std::uint64_t window() { return parameter("BATCH_SLEEPERS_WINDOW", 1'000, 10'000, 100'000); }

inline constexpr std::uint64_t least_us = 10'000;
inline constexpr std::uint64_t most_us = 100'000;

inline std::chrono::microseconds sleep_of(std::uint64_t i) {
  return std::chrono::microseconds(least_us + mix(i) % (most_us - least_us + 1));
}

}  // namespace bench::batch_sleepers
