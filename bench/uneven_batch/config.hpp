// SPDX-License-Identifier: Apache-2.0
// uneven_batch: a batch whose last 1 % of indices holds 90 % of the work.
//
// Question  does a batch that was dealt in equal parts stay balanced when nearly all of its work sits
//           at one end?
// Unit      ns of wall time per unit of work, of which a light item has 11 and a heavy one 9801.
//           ideal: threads that were told in advance where the work is, and take equal shares of it.
// Unfair    ideal starts its threads before the time begins; it makes no coroutine, allocates nothing
//           and ends together, which on a busy machine nothing else does.
// Sizes     HARRIER_BENCH_UNEVEN_BATCH_N: 1000, 10000, official 100000 items; a multiple of 100.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::uneven_batch {

inline constexpr std::uint64_t light = 11;
inline constexpr std::uint64_t heavy = 9801;  // of 100 items one: 9801 units, the others 99 * 11

inline std::uint64_t size() { return parameter("UNEVEN_BATCH_N", 1'000, 10'000, 100'000); }
inline std::uint64_t heavy_from(std::uint64_t items) { return items - items / 100; }

/// One unit is a step of a generator of pseudo-random numbers, of which no compiler makes one step of
/// several. Not inlined: every contender runs the same machine code.
[[gnu::noinline]] inline std::uint64_t work(std::uint64_t start, std::uint64_t units) {
  std::uint64_t x = start | 1;
  for (; units > 0; --units) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}
inline std::uint64_t item(std::uint64_t i, std::uint64_t items) {
  return work(i, i < heavy_from(items) ? light : heavy);
}
inline double units_of(std::uint64_t items) {
  return static_cast<double>(heavy_from(items) * light + (items - heavy_from(items)) * heavy);
}

/// A contender's measurement; run(n) runs the items 0 .. n - 1.
template <class F>
measurement measure(F run) {
  const std::uint64_t n = size();
  return measurement(units_of(n), [n, run = std::move(run)] { return timed([&] { run(n); }); });
}

}  // namespace bench::uneven_batch
