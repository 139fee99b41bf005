// SPDX-License-Identifier: Apache-2.0
// What the options of a batch cost that watch it: a batch of items of about 100 ns, without the option
// (plain) and with it (harrier).
//   batch_progress    a callback ten times a second
//   batch_checkpoint  every finished item is recorded, and saved once a second
//
// Question  may they always be on?
// Unit      ns of wall time per item, from the call until the batch is done; for the checkpoint until it
//           has been opened, saved for the last time and closed.
// Unfair    items so large that nothing shows. A batch of files or requests has items a thousand times as
//           large as these.
// Sizes     HARRIER_BENCH_BATCH_OPTIONS_N: 10000, 5000000, official 40000000 items.
#pragma once

#include "../common/contender.hpp"
#include "../common/mix.hpp"

#include <cstdint>

namespace bench::batch_options {

inline std::uint64_t size() { return parameter("BATCH_OPTIONS_N", 10'000, 5'000'000, 40'000'000); }

inline std::uint64_t work(std::uint64_t i) {
  for (int step = 0; step < 20; ++step) i = mix(i + 1);
  return i;
}

}  // namespace bench::batch_options
