// SPDX-License-Identifier: Apache-2.0
// A known number of children, each a task of its own, and all of them joined before the scope ends:
// the way of when_any, and of when_all where it cannot fork.
#pragma once

#include <harrier/detail/nursery.hpp>
#include <harrier/detail/stored.hpp>
#include <harrier/join_handle.hpp>
#include <harrier/outcome.hpp>
#include <harrier/task.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

namespace harrier::detail {

/// The result of an ended task, to keep.
template <class T>
stored<T> keep_result(task_record& ended) {
  if constexpr (std::is_void_v<T>) {
    take_result<T>(ended);
    return {};
  } else {
    return stored<T>(take_result<T>(ended));
  }
}

/// How an ended task ended. The error is the one it threw, so looking costs no throw.
template <class T>
outcome<T> keep_outcome(task_record& ended) {
  if (ended.ended_cancelled()) {
    return outcome<T>(std::make_exception_ptr(cancelled(ended.cancel_message())));
  }
  if (ended.root->result == result_kind::error) {
    ended.take_error();
    return outcome<T>(ended.root->error);
  }
  return outcome<T>(keep_result<T>(ended));
}

class HARRIER_EXPORT spawned_children {
 public:
  explicit spawned_children(nursery::abort_on when) noexcept : children_(when) {}

  class [[nodiscard]] enter_operation {
   public:
    using harrier_native = void;
    explicit enter_operation(nursery& children) noexcept : children_(children) {}
    class awaiter {
     public:
      explicit awaiter(nursery& children) noexcept : children_(children) {}
      bool await_ready() const noexcept { return false; }
      template <class Promise>
      bool await_suspend(std::coroutine_handle<Promise> handle) {
        children_.enter(handle.promise().record());
        return false;
      }
      void await_resume() const noexcept {}

     private:
      nursery& children_;
    };
    awaiter operator co_await() const noexcept { return awaiter(children_); }

   private:
    nursery& children_;
  };

  enter_operation enter() noexcept { return enter_operation(children_); }

  /// Starts the next child. One that cannot be started ends what was started: refused() then.
  template <class T>
  join_handle<T> start(task<T> work) noexcept {
    if (refused_ != nullptr) {
      return {};
    }
    nursery_member* member = nullptr;
    try {
      auto at = nursery::phase::open;
      member = children_.reserve(count_, at);
      if (member == nullptr) {  // a child has ended already, and that was decisive
        ++count_;
        return {};
      }
      join_handle<T> child = harrier::spawn(std::move(work));
      ++count_;
      children_.adopt(*member, handle_access::record(child));
      return child;
    } catch (...) {  // kept: rethrown by check() once all have ended
      refused_ = std::current_exception();
      if (member != nullptr) {
        children_.release(*member);
      }
      children_.abort();
      return {};
    }
  }

  nursery::join_operation join() noexcept { return children_.join(); }

  /// After the join: rethrows what could not be started, the error that decided, or a cancel of the
  /// parent; else there are results.
  void check();
  /// The index of the child that decided, or nursery::none.
  std::size_t decisive() const noexcept { return children_.decisive(); }

 private:
  nursery children_;
  std::size_t count_ = 0;
  std::exception_ptr refused_;
};

}  // namespace harrier::detail
