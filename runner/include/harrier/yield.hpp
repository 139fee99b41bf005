// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/promise.hpp>

#include <concepts>
#include <coroutine>

namespace harrier {
namespace detail {

/// Puts the coroutine at the back of its loop's queue. False: a cancel is due instead.
HARRIER_EXPORT bool yield_turn(suspension& node) noexcept;
/// The same for a coroutine whose task may have no record yet. Throws no_running_loop or std::bad_alloc.
HARRIER_EXPORT bool yield_with_record(suspension& node, promise_base& of);

class HARRIER_EXPORT yield_awaiter final : public suspension {
 public:
  yield_awaiter() noexcept : suspension(operations_table) {}

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    static_assert(std::derived_from<Promise, promise_base>,
                  "harrier's awaitables are awaited from harrier's coroutines");
    waiter = handle;
    return publish(handle.promise());
  }

  void await_resume() { deliver_cancel(); }

 private:
  bool publish(promise_base& of);
  static const ready_operations operations_table;
};

class [[nodiscard]] yield_operation {
 public:
  using harrier_native = void;
  yield_operation() noexcept {}
  yield_awaiter operator co_await() const noexcept { return yield_awaiter(); }
};

}  // namespace detail

/// Gives up one turn: everything that was ready on this loop before runs first.
///
/// Cancel   throws `cancelled` if one is due.
/// Errors   no_running_loop.
/// Cost     two queue operations; no allocation.
inline detail::yield_operation yield() noexcept { return detail::yield_operation(); }

}  // namespace harrier
