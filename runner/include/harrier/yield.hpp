// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/promise.hpp>

#include <coroutine>

namespace harrier {
namespace detail {

/// Puts the coroutine at the back of its loop's queue. False: a cancel is due instead.
HARRIER_EXPORT bool yield_turn(suspension& node) noexcept;

class HARRIER_EXPORT yield_awaiter final : public suspension {
 public:
  yield_awaiter() noexcept : suspension(operations_table) {}

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "yield");
    return publish();
  }

  void await_resume() { deliver_cancel(); }

 private:
  bool publish() noexcept;
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
