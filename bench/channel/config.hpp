// SPDX-License-Identifier: Apache-2.0
// channel: items from coroutines that send to coroutines that receive, 256 waiting at most.
//   channel_alone  one sender, one receiver, on a lone runner
//   channel        one sender, one receiver, on so many workers
//   channel_crowd  four senders, four receivers, on so many workers
//
// Question  what does an item cost on its way, in flat memory?
// Unit      ns of wall time per item.
// Unfair    no limit on what waits, which trades memory for time; a batch of items in one send. oneTBB's
//           concurrent_bounded_queue blocks its threads: each sender and receiver is a thread there.
// Sizes     HARRIER_BENCH_CHANNEL_N: 10000, 1000000, official 10000000 items.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::channel {

inline constexpr std::ptrdiff_t capacity = 256;

/// A contender's measurement; carry(n) sends 0 .. n - 1 and gives the sum of what was received.
template <class F>
measurement measure(F carry) {
  const std::uint64_t n = parameter("CHANNEL_N", 10'000, 1'000'000, 10'000'000);
  return checked("channel", n, n * (n - 1) / 2, std::move(carry));
}

/// What sender `index` of `senders` sends: [first, last).
struct share {
  share(std::uint64_t n, std::uint64_t index, std::uint64_t senders)
      : first(n * index / senders), last(n * (index + 1) / senders) {}
  std::uint64_t first;
  std::uint64_t last;
};

}  // namespace bench::channel
