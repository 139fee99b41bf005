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

inline void plain_light_barrier() { light_barrier(); }

inline bool stores_are_plain() { return model::mutant.has_membarrier; }

template <class T, class U>
void plain_store_before_loads(std::atomic<T>& flag, U value) {
  flag.store(value, std::memory_order_relaxed);
  light_barrier();
}

template <class T, class U>
void store_before_loads(std::atomic<T>& flag, U value) {
  if (stores_are_plain() || !model::has_step("the light barrier")) {
    plain_store_before_loads(flag, value);
  } else {
    flag.exchange(value, std::memory_order_seq_cst);
  }
}

}  // namespace harrier::detail
