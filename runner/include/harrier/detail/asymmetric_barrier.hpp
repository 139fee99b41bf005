// SPDX-License-Identifier: Apache-2.0
// A StoreLoad barrier between two sides, of which one passes it all the time and pays nothing.
//
//   frequent side   stores; light_barrier(); then it reads what the rare side stores.
//   rare side       stores; heavy_barrier(); then it reads the flag.
// One of the two sees the other. The heavy barrier makes every running thread of the process pass
// a full one (membarrier, 1 to 2 us). Where the kernel has no membarrier both sides pay an
// exchange.
#pragma once

#include <harrier/detail/config.hpp>

#include <atomic>

namespace harrier::detail {

/// Written once, before the first thread that is a rare side; read relaxed.
extern HARRIER_EXPORT constinit std::atomic<bool> has_membarrier;

/// Asks the kernel for membarrier. Called before the first thread that is a rare side.
HARRIER_EXPORT void prepare_heavy_barrier() noexcept;
HARRIER_EXPORT void heavy_barrier() noexcept;
/// A full barrier of this thread alone, for a kernel without membarrier.
HARRIER_EXPORT HARRIER_NOINLINE void full_barrier() noexcept;

/// The frequent side's part, after its store.
inline void light_barrier() noexcept {
  if (has_membarrier.load(std::memory_order_relaxed)) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    full_barrier();
  }
}

/// Whether the frequent side's stores may be plain ones. Never changes once a rare side runs.
inline bool stores_are_plain() noexcept { return has_membarrier.load(std::memory_order_relaxed); }

/// light_barrier() where stores_are_plain().
inline void plain_light_barrier() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

/// A store that to the rare side comes before later loads, where stores_are_plain().
template <class T, class U>
void plain_store_before_loads(std::atomic<T>& flag, U value) noexcept {
  flag.store(value, std::memory_order_relaxed);  // the rare side's barrier orders it
  plain_light_barrier();
}

/// The same on any kernel.
template <class T, class U>
void store_before_loads(std::atomic<T>& flag, U value) noexcept {
  if (stores_are_plain()) [[likely]] {
    plain_store_before_loads(flag, value);
  } else {
    flag.exchange(value, std::memory_order_seq_cst);
  }
}

}  // namespace harrier::detail
