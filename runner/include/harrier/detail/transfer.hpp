// SPDX-License-Identifier: Apache-2.0
// The one way in which a coroutine is resumed.
//
// transfer()  is what every await_suspend returns: symmetric transfer with a hop budget. Under the
//             budget it returns the next handle; at the budget it leaves the handle to the loop and
//             returns noop, so that nested calls unwind. The budget is a thread-local number of its
//             own: counting down is one instruction. Flat on every compiler and sanitizer,
//             whether or not a transfer is a tail call (docs/design.md#transfer).
// resume()    is what a loop calls: it resumes a handle and whatever bounced while it ran, with the
//             context variables of the task.
// Rejected    plain symmetric transfer: overflows on g++ below -O2 and under its sanitizers.
//             A pure trampoline: 4 % more instructions than the budget.
#pragma once

#include <harrier/detail/execution.hpp>

#include <coroutine>
#include <utility>

namespace harrier::detail {

/// The budget is spent: leaves `next` to the loop. On a thread that runs no loop, which has no
/// budget (a foreign executor resumed one of our coroutines), runs it and all that it bounces to
/// under a trampoline of its own.
HARRIER_EXPORT HARRIER_NOINLINE std::coroutine_handle<> bounce(
    std::coroutine_handle<> next) noexcept;

HARRIER_READS_THREAD_LOCAL inline std::coroutine_handle<> transfer(
    std::coroutine_handle<> next) noexcept {
  return --transfers_left != 0 ? next : bounce(next);
}

/// Resumes what has bounced, and what bounces then. The caller is the loop that owns `at`.
HARRIER_EXPORT HARRIER_NOINLINE void resume_bounced(execution& at);

/// Resumes `next`, then everything that bounced. Likewise.
inline void resume(execution& at, std::coroutine_handle<> next) {
  transfers_left = transfer_budget;
  next.resume();
  if (at.bounced) [[unlikely]] {
    resume_bounced(at);
  }
}

/// The same in a context, which is in `at` until then, or that of the task which it changes to.
inline void resume(execution& at, std::coroutine_handle<> next, context_word& context) {
  context_word* const outer = std::exchange(at.context, &context);
  resume(at, next);
  at.context = outer;
}

}  // namespace harrier::detail
