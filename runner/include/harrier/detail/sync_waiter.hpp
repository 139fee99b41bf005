// SPDX-License-Identifier: Apache-2.0
// An awaiter of a primitive: the suspension and the node in the primitive's queue.
#pragma once

#include <harrier/detail/promise.hpp>
#include <harrier/detail/wait_facts.hpp>
#include <harrier/detail/waiter_queue.hpp>
#include <harrier/detail/waiting_line.hpp>

#include <cstdint>

namespace harrier::detail {

class sync_waiter : public suspension, public waiter_node {
 public:
  explicit sync_waiter(const ready_operations& ops) noexcept : suspension(ops) {}

 protected:
  /// What await_suspend returns.
  bool suspended(wait_start how) noexcept {
    if (how == wait_start::waits) {
      return true;  // and nothing here is touched any more
    }
    if (how == wait_start::taken) {
      record = nullptr;  // it did not wait, so no cancel is delivered
    }
    return false;
  }

  /// The first thing that await_resume does. Throws `cancelled` after a cancel that was first, and
  /// after one that is due and for which `hand_back()` could give back what was granted.
  template <class HandBack>
  void settle(HandBack hand_back) {
    if (record != nullptr) [[unlikely]] {
      settle_wait(hand_back);
    }
  }

  /// Throws `cancelled`, whether or not it is still due: it has ended the wait.
  [[noreturn]] HARRIER_EXPORT void throw_cancel();

 private:
  template <class HandBack>
  void settle_wait(HandBack hand_back) {
    if (outcome == wait_outcome::withdrawn || (record->cancel_is_due() && hand_back())) {
      throw_cancel();
    }
  }
};

/// Wakes a node that was taken out of its queue. The waker does not touch it again.
inline void wake_waiter(waiter_node& node) noexcept { wake(static_cast<sync_waiter&>(node)); }

/// Wakes all of `woken`, which were taken out of their queue, in order.
HARRIER_EXPORT void wake_waiters(waiter_queue& woken) noexcept;

}  // namespace harrier::detail
