// SPDX-License-Identifier: Apache-2.0
// What our own sources do differently in harrier::simulation; in harrier::runtime it is nothing.
//
// Nearly all that is not deterministic is behind a seam that exists anyway: the functions of the C
// library that make threads, block, wake and tell the time, which the simulation defines anew
// (runtime/simulation/src/seam_*.cpp). Here is the rest. For .cpp files only: code in headers is the same for
// both libraries, because a program may link either.
#pragma once

#include <harrier/detail/config.hpp>

#include <cstdint>

#if defined(HARRIER_SIMULATED) || defined(HARRIER_THREAD_SANITIZED)
/// Nobody can see what orders the threads of oneTBB: threads of our own do their part.
#define HARRIER_LEAVES_TBB_ALONE 1
#endif

namespace harrier::detail::seam {

#if defined(HARRIER_SIMULATED)

/// While one lives the simulation does not preempt: the memory is the thread's own, and virtual threads
/// share one thread's.
class thread_memory {
 public:
  thread_memory() noexcept;
  ~thread_memory();
  thread_memory(const thread_memory&) = delete;
  thread_memory& operator=(const thread_memory&) = delete;

 private:
  void* self_;
};

/// Mixed into the choice of victims.
std::uint32_t seed() noexcept;

#else

class thread_memory {
 public:
  thread_memory() noexcept {}
};

inline std::uint32_t seed() noexcept { return 0; }

#endif

}  // namespace harrier::detail::seam
