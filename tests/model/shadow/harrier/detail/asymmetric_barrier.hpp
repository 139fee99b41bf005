// SPDX-License-Identifier: Apache-2.0
// Stands in front of the shipped header of this name. With membarrier the asymmetric barrier is a full
// one on both sides, which is what the heavy side makes of it; without, it is made of the exchanges
// of the shipped one.
#pragma once

#include <harrier/detail/config.hpp>

#include <relacy_atomics.hpp>

namespace harrier::detail {

inline void full_barrier() {
  if (model::mutant.has_membarrier) {
    rl::atomic_thread_fence(rl::mo_seq_cst, $);
  } else {
    model::barrier_line->exchange(0, rl::mo_seq_cst, $);
  }
}

inline void heavy_barrier() {
  if (model::has_step("the heavy barrier")) {
    full_barrier();
  }
}

inline void light_barrier() {
  if (model::has_step("the light barrier")) {
    full_barrier();
  }
}

template <class T, class U>
void store_before_loads(std::atomic<T>& flag, U value) {
  if (!model::has_step("the light barrier")) {
    flag.store(value, std::memory_order_relaxed);
  } else if (model::mutant.has_membarrier) {
    flag.store(value, std::memory_order_relaxed);
    full_barrier();
  } else {
    flag.exchange(value, std::memory_order_seq_cst);
  }
}

}  // namespace harrier::detail
