// SPDX-License-Identifier: Apache-2.0
// A coroutine that waits: the node in its frame, and who may end the wait.
//
// Every awaiter that really suspends derives from `suspension`. The wait has two possible ends, a
// wake and a cancel, decided by one compare-and-swap on the record's state word (task_record.hpp):
//   wake()      by whoever fulfils the wait, on any thread.
//   cancel      by the canceller, which posts to the loop of the wait; there `withdraw` takes the
//               node back from whoever would have woken it.
// Whoever wins enqueues the node exactly once, on the loop of the wait.
#pragma once

#include <harrier/detail/ready_node.hpp>

#include <coroutine>

namespace harrier::detail {

class task_record;
struct promise_base;

struct suspension : ready_node {
  explicit suspension(const ready_operations& ops) noexcept : ready_node(ops) {}

  std::coroutine_handle<> waiter;  ///< resumed when the wait ends
  task_record* record = nullptr;  ///< the task that waits

  /// Binds the node to the coroutine that awaits, whose task gets its record now if it had none.
  /// Throws no_running_loop or std::bad_alloc.
  template <class Promise>
  void bind(std::coroutine_handle<Promise> handle, const char* what);

  /// Declares the wait. False: a cancel is due, so the coroutine does not suspend.
  HARRIER_EXPORT bool begin_wait() noexcept;

  /// Throws `cancelled` if a cancel is due: the first thing that `await_resume` does, after it has
  /// handed back what it was granted.
  void deliver_cancel();

  /// Undoes begin_wait() on the loop that waits, when publishing found the wait already over.
  HARRIER_EXPORT bool abandon_wait() noexcept;

  HARRIER_EXPORT static void run(ready_node& node, execution& at);

  /// The operations of a wait, whose task may go on elsewhere.
  static constexpr ready_operations wait_table(
      const char* waits_for, withdrawal (*withdraw)(ready_node& node) noexcept,
      void (*tell)(const ready_node& node, wait_facts& facts) = nullptr,
      void (*give_back)(ready_node& node) noexcept = nullptr) noexcept {
    return {run, withdraw, give_back, true, nullptr, waits_for, tell};
  }
};

/// Ends the wait of `node` for a waker who then resumes or enqueues it. False: the loop of the wait
/// is dealing with a cancel and does that itself. Any thread.
HARRIER_EXPORT bool end_wait(suspension& node) noexcept;

/// Ends the wait of `node` and makes it ready on its loop. Any thread; the waker does not touch the
/// node again.
HARRIER_EXPORT void wake(suspension& node) noexcept;

}  // namespace harrier::detail
