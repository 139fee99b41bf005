// SPDX-License-Identifier: Apache-2.0
// How a thread passes the time until another one has left a section of a few instructions.
#pragma once

#include <sched.h>

namespace harrier::detail {

/// Tells the processor that the thread spins.
inline void pause_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// The same so many times.
inline void pause_processor_for(unsigned pauses) noexcept {
  for (unsigned each = 0; each < pauses; ++each) {
    pause_processor();
  }
}

/// Gives the time slice away: the other thread may have been preempted.
inline void give_slice_away() noexcept { ::sched_yield(); }

/// One round of waiting, the `spins`th: a pause, and later the time slice, because the other thread
/// may have been preempted.
inline void spin_wait(unsigned spins) noexcept {
  if (spins < 64) {
    pause_processor();
  } else {
    give_slice_away();
  }
}

}  // namespace harrier::detail
