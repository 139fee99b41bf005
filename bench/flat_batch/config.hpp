// SPDX-License-Identifier: Apache-2.0
// flat_batch: N independent trivial coroutines (or tasks) given in one call from ordinary code.
//   flat_batch            each returns its index and all results are collected
//   flat_batch_discarded  each returns nothing
//   flat_batch_reduced    each returns its index, and they are added up
//   flat_batch_oversubscribed  like flat_batch, on 64 workers, however few the cores
//
// Question  what does one coroutine of a huge batch cost, and does memory depend on how many there
//           are?
// Unit      ns of wall time per coroutine, from the call until the results are readable, storage
//           for the results included; peak memory above the result array.
// Unfair    leaving out the allocation of the results, or making it cost a pass of zeroes that
//           others do not pay (none here does); counting the freeing of them (none here does). tbb
//           starts one oneTBB task per item; tbb_parallel_for starts one per chunk and calls a
//           function per item, which can keep no state while it waits and so is a floor, not a
//           peer.
// Sizes     HARRIER_BENCH_FLAT_BATCH_N: 10000, 1000000, official 10000000.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>
#include <memory>

namespace bench::flat_batch {

inline std::uint64_t size() { return parameter("FLAT_BATCH_N", 10'000, 1'000'000, 10'000'000); }

/// Room for `count` results that nobody has written to yet.
inline std::unique_ptr<std::uint64_t[]> make_results(std::uint64_t count) {
  return std::make_unique_for_overwrite<std::uint64_t[]>(count);
}

/// A contender's measurement; collect(n) returns something whose element i should be i, and which
/// frees the results when it is destroyed.
template <class F>
measurement measure(F collect) {
  const std::uint64_t n = size();
  auto round = [n, collect = std::move(collect)] {
    const auto start = std::chrono::steady_clock::now();
    const auto results = collect(n);
    const duration taken = std::chrono::steady_clock::now() - start;
    std::uint64_t wrong = 0;
    for (std::uint64_t i = 0; i < n; ++i) wrong += results[i] != i;
    check(wrong == 0, "flat_batch");
    return taken;
  };
  return measurement(static_cast<double>(n), std::move(round))
      .with_payload(static_cast<double>(n * sizeof(std::uint64_t)));
}

/// The same for a contender that keeps no results; run(n) runs the items.
template <class F>
measurement measure_discarded(F run) {
  const std::uint64_t n = size();
  return measurement(static_cast<double>(n),
                     [n, run = std::move(run)] { return timed([&] { run(n); }); });
}

}  // namespace bench::flat_batch
