// SPDX-License-Identifier: Apache-2.0
// Forked children of which the first failure ends the others: when_all() on a worker.
//
// Threads     a stolen child fails on its thief's thread; the rest is the parent's.
// Protocol    whoever sets `failed_` keeps its error. A stolen child then cancels the parent's task for
//             the group, so that a child which runs inside that task is cancelled, and a join of another
//             stolen one. The parent drops or cancels the children that it has not joined, joins all,
//             and takes the group's cancel back.
#pragma once

#include <harrier/detail/child_group.hpp>
#include <harrier/detail/private_cancel.hpp>
#include <harrier/detail/promise.hpp>

#include <atomic>
#include <coroutine>
#include <exception>
#include <utility>

namespace harrier::detail {

class HARRIER_EXPORT fork_group final : public child_group {
 public:
  fork_group() noexcept : child_group(&fork_group::child_failed) {}
  fork_group(const fork_group&) = delete;
  fork_group& operator=(const fork_group&) = delete;
  /// Left by an exception of a fork, before the joins: the group's cancel goes with the group.
  ~fork_group() {
    if (!has_left_) {
      cancel_.leave();
      cancel_.rearm();
    }
  }

  class [[nodiscard]] enter_operation {
   public:
    using harrier_native = void;
    explicit enter_operation(fork_group& group) noexcept : group_(group) {}
    class awaiter {
     public:
      explicit awaiter(fork_group& group) noexcept : group_(group) {}
      bool await_ready() const noexcept { return false; }
      template <class Promise>
      bool await_suspend(std::coroutine_handle<Promise> handle) {
        group_.cancel_.enter(handle.promise().record());
        return false;
      }
      void await_resume() const noexcept {}

     private:
      fork_group& group_;
    };
    awaiter operator co_await() const noexcept { return awaiter(group_); }

   private:
    fork_group& group_;
  };

  enter_operation enter() noexcept { return enter_operation(*this); }

  bool has_failed() const noexcept {
    // acquire: pairs with the exchange in keep()  [fork_group:failed]
    return failed_.load(std::memory_order_acquire);
  }
  /// The parent has caught something at a join, or could not fork.
  void fail(std::exception_ptr error) noexcept { keep(std::move(error)); }
  /// For groups that go on after a failure: whether the cancel that was caught came from outside.
  bool is_cancelled_from_outside() noexcept { return cancel_.is_cancelled_from_outside(); }
  /// After all joins: throws the first error, if there is one.
  void finish();

 private:
  bool keep(std::exception_ptr error) noexcept;
  static void child_failed(child_group& self, promise_base& child) noexcept;

  private_cancel cancel_;
  bool has_left_ = false;
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;  // written by whoever set failed_, read after all joins
};

}  // namespace harrier::detail
