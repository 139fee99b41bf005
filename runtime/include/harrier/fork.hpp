// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/forked_context.hpp>
#include <harrier/detail/join_word.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/task.hpp>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace harrier {

template <class T>
class forked;

namespace detail {

/// Pushes a child for thieves, or keeps it for its join where there is no worker.
template <class T>
forked<T> fork_now(task<T> child) {
  if (!child.valid()) [[unlikely]] {
    throw invalid_task();
  }
  // relaxed: hint, see context_word::snapshot()
  if (has_context_vars.load(std::memory_order_relaxed)) [[unlikely]] {
    child = in_own_context(std::move(child), context_word::current().copy());
  }
  const auto handle = task_access::release(child);
  worker_slot* slot = this_slot();
  return forked<T>(handle, slot != nullptr && slot->push_child(handle.promise()));
}

HARRIER_EXPORT void take_back_or_wait(promise_base& child) noexcept;

/// A parent that waits for a child which a thief has.
class stolen_child_wait final : public suspension {
 public:
  stolen_child_wait() noexcept : suspension(operations_table) {}
  /// What to resume: nothing, or the parent, if the child has just ended.
  HARRIER_EXPORT std::coroutine_handle<> wait(promise_base& child, promise_base& parent);

 private:
  /// A cancel goes on to the child, whose end then resumes the parent.
  static withdrawal withdraw(ready_node& node) noexcept;
  HARRIER_EXPORT static const ready_operations operations_table;

  promise_base* child_ = nullptr;
};

template <class T>
class join_child_awaiter final {
 public:
  explicit join_child_awaiter(forked<T>& child) noexcept : child_(child) {}

  bool await_ready() noexcept {
    if (!child_.pushed_) {
      return false;
    }
    promise_base& mine = child_.handle_.promise();
    if (worker_slot* slot = this_slot()) [[likely]] {
      promise_base* popped = slot->pop_child();
      if (popped == &mine) [[likely]] {
        child_.pushed_ = false;  // nobody else has it: it is awaited like any child
        return false;
      }
      if (popped != nullptr) {
        slot->put_back(*popped);
      }
    }
    const bool ended = has_ended(mine);
    child_.pushed_ = !ended;
    return ended;
  }

  template <class Parent>
  HARRIER_PUBLISHES std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) {
    promise_base& mine = child_.handle_.promise();
    if (child_.pushed_) [[unlikely]] {
      // Once it waits, another thread may resume the parent: nothing here is touched afterwards.
      return std::construct_at(&wait_)->wait(mine, parent.promise());
    }
    mine.continuation = parent;
    mine.started_as = role::awaited;
    mine.chain = reinterpret_cast<std::uintptr_t>(&parent.promise().chain_root());
    return transfer(child_.handle_);
  }

  T await_resume() {
    if (child_.pushed_) [[unlikely]] {
      child_.pushed_ = false;
      wait_.deliver_cancel();
    }
    return child_.handle_.promise().take();
  }

 private:
  forked<T>& child_;
  union {
    stolen_child_wait wait_;  // made only if the parent waits, which is rare
  };
};

}  // namespace detail

/// A child that was forked: join it with `co_await`, once, in the reverse order of forking.
///
/// Lifetime  lives in the parent's frame and ends before what the child refers to. Dropped
///           unjoined, a child that nobody stole does not run; one that was stolen is cancelled and
///           waited for, while the thread runs what else is ready on its worker. That wait can
///           not be suspended: join on error paths, too, or let when_all() do it.
/// Errors    the join rethrows what the child threw, once.
/// Cancel    a cancel of the parent goes on to the child that it joins.
/// Cost      a push and a pop; a child that nobody stole is then awaited in place.
template <class T>
class [[nodiscard]] forked {
 public:
  using value_type = T;
  using harrier_native = void;

  forked(forked&& other) noexcept
      : handle_(std::exchange(other.handle_, {})), pushed_(std::exchange(other.pushed_, false)) {}
  forked& operator=(forked&&) = delete;
  ~forked() {
    if (handle_) {
      if (pushed_) [[unlikely]] {
        detail::take_back_or_wait(handle_.promise());
      }
      handle_.destroy();
    }
  }

  detail::join_child_awaiter<T> operator co_await() & noexcept {
    return detail::join_child_awaiter<T>(*this);
  }
  detail::join_child_awaiter<T> operator co_await() && noexcept {
    return detail::join_child_awaiter<T>(*this);
  }

 private:
  template <class>
  friend class detail::join_child_awaiter;
  template <class U>
  friend forked<U> detail::fork_now(task<U> child);

  forked(std::coroutine_handle<detail::task_promise<T>> handle, bool pushed) noexcept
      : handle_(handle), pushed_(pushed) {}

  std::coroutine_handle<detail::task_promise<T>> handle_;
  bool pushed_;  // it may be on a deque, or with a thief
};

namespace detail {

template <class T>
class [[nodiscard]] fork_operation {
 public:
  using harrier_native = void;

  explicit fork_operation(task<T> child) noexcept : child_(std::move(child)) {}

  class awaiter {
   public:
    explicit awaiter(fork_operation& operation) noexcept : operation_(operation) {}
    bool await_ready() const noexcept { return true; }  // the parent goes on; the child waits
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    forked<T> await_resume() { return fork_now(std::move(operation_.child_)); }

   private:
    fork_operation& operation_;
  };

  awaiter operator co_await() & noexcept { return awaiter(*this); }
  awaiter operator co_await() && noexcept { return awaiter(*this); }

 private:
  task<T> child_;
};

}  // namespace detail

/// Offers `child` to other workers and goes on: `auto h = co_await fork(child()); ... co_await h;`
/// Outside a runtime's worker the child runs when it is joined.
template <class T>
detail::fork_operation<T> fork(task<T> child) noexcept {
  return detail::fork_operation<T>(std::move(child));
}

}  // namespace harrier
