// SPDX-License-Identifier: Apache-2.0
// Which task has a lock to itself, for the doctor and an assertion.
//
// Threads     set and cleared by whoever has the lock; read by anybody.
// Bounds      who took the lock by try_lock(), or is no coroutine of ours, is not known: null.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/promise.hpp>

#include <atomic>

namespace harrier::detail {

class lock_owner {
 public:
#if defined(HARRIER_ASSERTIONS) || !defined(NDEBUG)
  static constexpr bool is_known = true;
#else
  static constexpr bool is_known = doctor_is_on;
#endif
  // relaxed: only the owner itself finds itself here; to the doctor it is a name that is not followed
  void set(promise_base* waiter) noexcept {
    if constexpr (is_known) {
      if (waiter != nullptr) {
        task_.store(&waiter->chain_root(), std::memory_order_relaxed);
      }
    }
  }
  void clear() noexcept {
    if constexpr (is_known) {
      task_.store(nullptr, std::memory_order_relaxed);
    }
  }
  bool is_of(promise_base& waiter) const noexcept { return get() == &waiter.chain_root(); }
  /// Null: nobody, or nobody knows.
  const promise_base* get() const noexcept { return task_.load(std::memory_order_relaxed); }

 private:
  std::atomic<const promise_base*> task_{nullptr};
};

}  // namespace harrier::detail
