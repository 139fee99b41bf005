// SPDX-License-Identifier: Apache-2.0
// yield: giving way.
//   yield        a flat batch in which every coroutine yields once, then returns its index
//   yield_alone  one coroutine that yields over and over on a loop with nothing else to run
//
// Question  what does a trip through the ready queue cost, with a crowd and alone?
// Unit      ns of wall time per coroutine (yield) or per yield (yield_alone).
// Unfair    a yield that does not let what was ready before it run first. oneTBB has none that
//           does: its contenders submit the rest of the item as a new task, which oneTBB runs next
//           on the same thread; that is cheaper than what ours do.
// Sizes     HARRIER_BENCH_YIELD_N: 10000, 1000000, official 10000000 coroutines;
//           HARRIER_BENCH_YIELD_ALONE_N: 1000, 100000, 1000000 yields.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>
#include <memory>

namespace bench::yield {

/// A contender's measurement; collect(n) returns something whose element i should be i.
template <class F>
measurement measure(F collect) {
  const std::uint64_t n = parameter("YIELD_N", 10'000, 1'000'000, 10'000'000);
  auto round = [n, collect = std::move(collect)] {
    const auto start = std::chrono::steady_clock::now();
    const auto results = collect(n);
    const duration taken = std::chrono::steady_clock::now() - start;
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < n; ++i) wrong += results[i] != i;
    check(wrong == 0, "yield");
    return taken;
  };
  return measurement(static_cast<double>(n), std::move(round))
      .with_payload(static_cast<double>(n * sizeof(std::uint64_t)));
}

/// The same for one coroutine that yields; run(n) lets it yield n times.
template <class F>
measurement measure_alone(F run) {
  const std::uint64_t n = parameter("YIELD_ALONE_N", 1'000, 100'000, 1'000'000);
  return measurement(static_cast<double>(n),
                     [n, run = std::move(run)] { return timed([&] { run(n); }); });
}

inline std::unique_ptr<std::uint64_t[]> make_results(std::uint64_t count) {
  return std::make_unique_for_overwrite<std::uint64_t[]>(count);
}

}  // namespace bench::yield
