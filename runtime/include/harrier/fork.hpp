// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/child_group.hpp>
#include <harrier/detail/forked_context.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/task.hpp>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace harrier {

template <class T>
class forked;

namespace detail {

/// Not inline: few programs need it, and all have forks.
template <class T>
HARRIER_NOINLINE task<T> with_own_context(task<T> child) {
  return in_own_context(std::move(child), context_word::current().copy());
}

/// Pushes a child for thieves, or keeps it for its join where there is no worker.
template <class T>
[[gnu::always_inline]] inline forked<T> fork_now(task<T>&& child, child_group* group = nullptr) {
  if (!child.valid()) [[unlikely]] {
    throw invalid_task();
  }
  // relaxed: hint, see context_word::snapshot()
  if (has_context_vars.load(std::memory_order_relaxed)) [[unlikely]] {
    child = with_own_context(std::move(child));
  }
  promise_base& promise = task_access::promise(child);
  if (group != nullptr) {
    promise.owner = group;
    promise.join.enter_group();
  }
  if (worker_slot* slot = this_slot()) [[likely]] {
    slot->push_child(promise);
  } else {
    promise.join.keep();
  }
  // Last: what is empty from here on needs no look before it is destroyed.
  return forked<T>(task_access::release(child));
}

/// A forked child goes without having been joined.
HARRIER_EXPORT void take_back_or_wait(promise_base& child) noexcept;
/// Takes a child that has not started off the deque. False: a thief has it.
HARRIER_EXPORT bool take_back(promise_base& child) noexcept;

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

/// The join of a child, and the wait of the parent if a thief has it.
class child_join {
 public:
  child_join() noexcept {}
  ~child_join() {}

  /// What to resume: the child, if nobody else has it; the parent, if the child has ended; or nothing.
  /// Once the parent waits, another thread may resume it. Not inline: it would be most of the body of
  /// a coroutine that joins several.
  HARRIER_EXPORT HARRIER_NOINLINE std::coroutine_handle<> begin(promise_base& child,
                                                                promise_base& parent);
  bool is_waiting() const noexcept { return is_waiting_; }
  void end() {
    wait_.deliver_cancel();
    is_waiting_ = false;
  }

 private:
  HARRIER_NOINLINE std::coroutine_handle<> begin_slowly(promise_base& child, promise_base& parent);

  bool is_waiting_ = false;
  union {
    stolen_child_wait wait_;  // made only if the parent waits, which is rare
  };
};

template <class T>
class join_child_awaiter final {
 public:
  using handle_type = std::coroutine_handle<task_promise<T>>;

  explicit join_child_awaiter(handle_type child) : child_(child) {
    if (!child_) [[unlikely]] {
      throw invalid_task();
    }
  }
  join_child_awaiter(const join_child_awaiter&) = delete;
  join_child_awaiter& operator=(const join_child_awaiter&) = delete;
  ~join_child_awaiter() {
    if (join_.is_waiting()) [[unlikely]] {  // the parent is destroyed where it waits, or cancelled
      take_back_or_wait(child_.promise());
    }
    child_.destroy();
  }

  bool await_ready() const noexcept { return false; }

  template <class Parent>
  HARRIER_PUBLISHES std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) {
    return join_.begin(child_.promise(), parent.promise());
  }

  T await_resume() {
    if (join_.is_waiting()) [[unlikely]] {
      join_.end();
    }
    return child_.promise().take();
  }

 private:
  handle_type child_;
  child_join join_;
};

}  // namespace detail

/// A child that was forked: join it with `co_await`, once, in the reverse order of forking.
///
/// Lifetime  lives in the parent's frame and ends before what the child refers to. Dropped
///           unjoined, a child that nobody stole does not run; one that was stolen is cancelled and
///           waited for, while the thread runs what else is ready on its worker. That wait can
///           not be suspended: join on error paths, too, or let when_all() do it.
/// Errors    the join rethrows what the child threw. A second join throws invalid_task.
/// Cancel    a cancel of the parent goes on to the child that it joins.
/// Cost      a push and a pop; a child that nobody stole is then awaited in place. Its frame goes
///           with the join.
template <class T>
class [[nodiscard]] forked {
 public:
  using value_type = T;
  using harrier_native = void;

  forked(forked&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  forked& operator=(forked&&) = delete;
  ~forked() {
    if (handle_) [[unlikely]] {
      detail::take_back_or_wait(handle_.promise());
      handle_.destroy();
    }
  }

  /// For a group that has failed: drops the child if it has not started; otherwise cancels it, and it is
  /// to be joined. False: it was dropped.
  bool cancel_or_drop() noexcept {
    if (detail::take_back(handle_.promise())) {
      std::exchange(handle_, {}).destroy();
      return false;
    }
    detail::cancel_stolen(handle_.promise());
    return true;
  }

  detail::join_child_awaiter<T> operator co_await() & {
    return detail::join_child_awaiter<T>(std::exchange(handle_, {}));
  }
  detail::join_child_awaiter<T> operator co_await() && {
    return detail::join_child_awaiter<T>(std::exchange(handle_, {}));
  }

 private:
  template <class U>
  friend forked<U> detail::fork_now(task<U>&& child, detail::child_group* group);

  explicit forked(std::coroutine_handle<detail::task_promise<T>> handle) noexcept
      : handle_(handle) {}

  std::coroutine_handle<detail::task_promise<T>> handle_;
};

namespace detail {

template <class T>
class [[nodiscard]] fork_operation {
 public:
  using harrier_native = void;
  using harrier_never_waits = void;

  explicit fork_operation(task<T> child) noexcept : child_(std::move(child)) {}

  class awaiter {
   public:
    explicit awaiter(fork_operation& operation) noexcept : operation_(operation) {}
    bool await_ready() const noexcept { return true; }  // the parent goes on; the child waits
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    [[gnu::always_inline]] forked<T> await_resume() {
      return fork_now(std::move(operation_.child_));
    }

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
