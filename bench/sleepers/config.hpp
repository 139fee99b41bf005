// SPDX-License-Identifier: Apache-2.0
// sleepers: very many coroutines asleep at once.
//   sleepers          items of one batch on a runtime
//   sleepers_spawned  tasks spawned on a lone runner, their handles dropped
//
// Question  how many bytes does a coroutine take that waits for a timer?
// Unit      bytes each: growth of the resident size from before the first is made until all sleep,
//           divided by their number; frames, records, timers, queues and result storage included.
// Unfair    counting frames only; memory left over from something that ran before, which is why
//           each number has a process of its own. serial keeps a callback per timer in a priority
//           queue: what an event loop without coroutines needs. oneTBB has nothing that sleeps, so
//           there is no tbb contender, nor harrier_on_tbb.
// Sizes     HARRIER_BENCH_SLEEPERS_N: 10000, 100000, official 1000000.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::sleepers {

inline std::uint64_t size() { return parameter("SLEEPERS_N", 10'000, 100'000, 1'000'000); }

}  // namespace bench::sleepers
