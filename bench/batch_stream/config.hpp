// SPDX-License-Identifier: Apache-2.0
// batch_stream: N trivial coroutines (or tasks) whose results one reader takes as they come, with at
// most 4096 under way or waiting to be taken.
//
// Question  what does a bounded, streamed item cost, in flat memory?
// Unit      ns of wall time per item, from the call until the last result has been taken; peak memory.
// Unfair    a reader that is not one: every contender adds the results up in one place, one after the
//           other. tbb's pipeline has 4096 tokens, and its items are functions, which cannot wait;
//           harrier_semaphore is what is built by hand: a permit, a spawn and a channel for each item.
// Sizes     HARRIER_BENCH_BATCH_STREAM_N: 10000, 1000000, official 10000000 items.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::batch_stream {

inline constexpr std::uint64_t window = 4096;

/// A contender's measurement; sum(n) runs the items 0 .. n - 1 and gives the sum of their results.
template <class F>
measurement measure(F sum) {
  const std::uint64_t n = parameter("BATCH_STREAM_N", 10'000, 1'000'000, 10'000'000);
  return checked("batch_stream", n, n * (n - 1) / 2, std::move(sum));
}

}  // namespace bench::batch_stream
