// SPDX-License-Identifier: Apache-2.0
// timers: very many coroutines that sleep at once.
//   timers            each sleeps a pseudo-random time below a millisecond, and then ends
//   timers_cancelled  each sleeps for an hour, and all are cancelled at once
//
// Question  what does a timer cost: to arm it and to fire it, or to take it back?
// Unit      ns of wall time per sleeper: from handing the first over until the last has woken; for
//           timers_cancelled from the cancel until the last has ended, by its cancel.
// Unfair    rounding deadlines to ticks; sleepers that wake early (checked below). The longest
//           sleep bounds timers from below: a millisecond divided by the number of sleepers, which
//           is 10 ns each at the default size and 1 ns at the official one. oneTBB has nothing that
//           sleeps, so there is no tbb contender, nor harrier_on_tbb.
// Sizes     HARRIER_BENCH_TIMERS_N: 1000, 100000, official 1000000.
#pragma once

#include "../common/contender.hpp"
#include "../common/mix.hpp"

#include <cstdint>
#include <utility>

namespace bench::timers {

using clock = std::chrono::steady_clock;

inline constexpr duration longest = std::chrono::milliseconds(1);

inline std::uint64_t size() { return parameter("TIMERS_N", 1'000, 100'000, 1'000'000); }

/// How long sleeper i sleeps.
inline duration sleep_of(std::uint64_t i) {
  return duration(mix(i) % static_cast<std::uint64_t>(longest.count()));
}

/// A contender's measurement; sleep_all(n) returns how many have slept as long as they should.
template <class F>
measurement measure(F sleep_all) {
  const std::uint64_t n = size();
  return measurement(static_cast<double>(n), [n, sleep_all = std::move(sleep_all)] {
    std::uint64_t slept = 0;
    const duration taken = timed([&] { slept = sleep_all(n); });
    check(slept == n, "timers");
    return taken;
  });
}

/// A contender's measurement; cancel_all(n) puts n to sleep, cancels them, and returns how long that
/// took and how many were cancelled.
template <class F>
measurement measure_cancelled(F cancel_all) {
  const std::uint64_t n = size();
  return measurement(static_cast<double>(n), [n, cancel_all = std::move(cancel_all)] {
    const std::pair<duration, std::uint64_t> result = cancel_all(n);
    check(result.second == n, "timers_cancelled");
    return result.first;
  });
}

}  // namespace bench::timers
