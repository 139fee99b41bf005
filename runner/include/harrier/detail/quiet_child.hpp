// SPDX-License-Identifier: Apache-2.0
// A child that is awaited in place and whose outcome is looked at instead of thrown.
//
// Rejected    catching what the await throws: each scope that a cancel passes would cost two throws.
#pragma once

#include <harrier/task.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace harrier::detail {

/// Await it once, as an lvalue; then ask.
template <class T>
class [[nodiscard]] quiet_child {
 public:
  using harrier_native = void;

  /// Throws invalid_task.
  explicit quiet_child(task<T> work) : inner_(task_access::release(work)) {}

  class awaiter {
   public:
    explicit awaiter(task_awaiter<T>& inner) noexcept : inner_(inner) {}
    bool await_ready() const noexcept { return false; }
    template <class Parent>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) noexcept {
      return inner_.await_suspend(parent);
    }
    void await_resume() const noexcept {}

   private:
    task_awaiter<T>& inner_;
  };

  awaiter operator co_await() & noexcept { return awaiter(inner_); }

  bool has_failed() noexcept { return inner_.promise().result == result_kind::error; }
  /// While it has failed.
  const std::exception_ptr& error() noexcept { return inner_.promise().error; }
  bool was_cancelled() noexcept { return has_failed() && is_cancel(error()); }
  /// The value, or a rethrow of the error. Once.
  T take() { return inner_.promise().take(); }

 private:
  task_awaiter<T> inner_;
};

}  // namespace harrier::detail
