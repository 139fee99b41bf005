// SPDX-License-Identifier: Apache-2.0
// idle_cpu: processor time of workers that have run something and now have nothing to do.
//
// Question  does an idle runtime cost anything?
// Unit      ns of processor time of all threads but the caller's, over 10 s of idling that begin 1
//           s after the work ended (a grace period for spinning before sleep).
// Unfair    never having started the threads: every contender runs 100000 tasks first. There is no
//           serial contender.
// Sizes     HARRIER_BENCH_IDLE_MS: 200, 1000, official 10000 ms of idling.
#pragma once

#include "../common/contender.hpp"

#include <ctime>
#include <thread>

namespace bench::idle_cpu {

inline double processor_ns(clockid_t which) {
  std::timespec now{};
  clock_gettime(which, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Processor time that the process's other threads take while this one sleeps.
inline double measure_idle() {
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto others = [] {
    return processor_ns(CLOCK_PROCESS_CPUTIME_ID) - processor_ns(CLOCK_THREAD_CPUTIME_ID);
  };
  const double before = others();
  std::this_thread::sleep_for(std::chrono::milliseconds(parameter("IDLE_MS", 200, 1'000, 10'000)));
  // The two clocks are read one after the other, which makes up to a microsecond of nothing.
  const double used = others() - before;
  return used < 5'000 ? 0 : used;
}

inline constexpr std::uint64_t tasks_before = 100'000;

}  // namespace bench::idle_cpu
