// SPDX-License-Identifier: Apache-2.0
// Which task has a lock to itself, for the doctor and an assertion.
//
// Threads     set and cleared by whoever has the lock; read by anybody.
// Names       who awaits a lock knows its coroutine, and is noted by the promise of its root. try_lock()
//             does not: it notes what runs on its thread, by the context that is in its task's record.
// Bounds      not known, null, is who awaits and is no coroutine of ours, and who calls try_lock() outside
//             a loop's steps. A batch item or a forked child that has not suspended yet has no record,
//             and a callback never: of them it is known only that they are no task.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/execution.hpp>
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
  /// Whoever runs on this thread.
  HARRIER_READS_THREAD_LOCAL void set_running() noexcept {
    if constexpr (is_known) {
      const execution* const at = here();
      task_.store(at != nullptr ? at->context : nullptr,
                  std::memory_order_relaxed);  // as in set()
    }
  }
  void clear() noexcept {
    if constexpr (is_known) {
      task_.store(nullptr, std::memory_order_relaxed);  // as in set()
    }
  }
  bool is_of(promise_base& waiter) const noexcept { return get() == &waiter.chain_root(); }
  /// Null: nobody, or nobody knows.
  const void* get() const noexcept {
    return task_.load(std::memory_order_relaxed);  // as in set()
  }

 private:
  std::atomic<const void*> task_{nullptr};
};

}  // namespace harrier::detail
