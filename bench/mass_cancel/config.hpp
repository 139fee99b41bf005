// SPDX-License-Identifier: Apache-2.0
// mass_cancel: very many tasks that sleep are cancelled at once, and waited for.
//   mass_cancel        each sleeps in its own body: one await level
//   mass_cancel_deep   each sleeps at the end of a chain of 11 coroutines that await one another
//
// Question  what does it cost to end a task that waits, and does a second worker help?
// Unit      ns of wall time per task, from the cancel to the end of the last.
// Unfair    tasks that were destroyed instead of unwound; an unwinding through functions of which none has
//           anything to clean up. The serial contender throws an exception through as many levels, each
//           of which stores and rethrows it, as coroutines must: what C++ asks at the least.
//           one_worker is harrier with one worker, beside harrier with two.
// Sizes     HARRIER_BENCH_MASS_CANCEL_N: 1000, 20000, official 100000 tasks.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::mass_cancel {

inline constexpr std::uint64_t deep = 11;

inline std::uint64_t size() { return parameter("MASS_CANCEL_N", 1'000, 20'000, 100'000); }

}  // namespace bench::mass_cancel
