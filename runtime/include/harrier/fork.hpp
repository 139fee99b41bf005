// SPDX-License-Identifier: Apache-2.0
#pragma once

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

class fork_group;

/// Its context_keeper.
template <class T>
std::coroutine_handle<> with_own_context(std::coroutine_handle<> child) {
  using handle = std::coroutine_handle<task_promise<T>>;
  task<T> kept = in_own_context(task_access::adopt<T>(handle::from_address(child.address())),
                                context_word::current().copy());
  return task_access::release(kept);
}

/// Pushes a child for thieves, or keeps it for its join where there is no worker. What comes back is to
/// be joined: the child, or, in a program with context variables, what `keeper` makes of it. Not inline:
/// it is a call anyway, and like this the parent needs few registers.
HARRIER_EXPORT HARRIER_NOINLINE std::coroutine_handle<> offer(std::coroutine_handle<> child,
                                                              context_keeper& keeper);

template <class T>
HARRIER_INLINE inline std::coroutine_handle<task_promise<T>> fork_handle(task<T>&& child) {
  if (!child.valid()) [[unlikely]] {
    throw_invalid_task();
  }
  const std::coroutine_handle<> offered = offer(task_access::release(child), with_own_context<T>);
  if (!offered) {
    __builtin_unreachable();  // so that a join in the same body needs no look
  }
  return std::coroutine_handle<task_promise<T>>::from_address(offered.address());
}
template <class T>
HARRIER_INLINE inline forked<T> fork_now(task<T>&& child) {
  return forked<T>(fork_handle(std::move(child)));
}

/// A forked child goes without having been joined.
HARRIER_EXPORT void take_back_or_wait(promise_base& child) noexcept;
/// The same, and destroys it.
HARRIER_EXPORT void drop_unjoined(promise_base& child) noexcept;
/// Takes a child that has not started off the deque. False: a thief has it.
HARRIER_EXPORT bool take_back(promise_base& child) noexcept;

/// The join of a child, and the wait of the parent if a thief has it.
class child_join {
 public:
  HARRIER_INLINE explicit child_join(promise_base* child) noexcept : child_(child) {}
  HARRIER_INLINE ~child_join() {
    if (child_ != nullptr) [[unlikely]] {
      drop(*child_);
    }
  }
  child_join(const child_join&) = delete;
  child_join& operator=(const child_join&) = delete;

  promise_base& child() noexcept { return *child_; }
  /// What to resume: the child, if nobody else has it; the parent, if the child has ended; or nothing.
  /// Once the parent waits, another thread may resume it. Not inline: it would be most of the body of
  /// a coroutine that joins several.
  HARRIER_EXPORT HARRIER_NOINLINE std::coroutine_handle<> begin(std::coroutine_handle<> parent);
  /// The parent goes on, without has_plain_value(). Throws what the child threw, or a cancel of the
  /// parent.
  HARRIER_EXPORT HARRIER_NOINLINE void end_otherwise();
  HARRIER_INLINE void destroy_child() noexcept {
    child_->handle().destroy();
    child_ = nullptr;
  }

 private:
  friend class fork_group;  // joins one child after another with one of these

  HARRIER_NOINLINE std::coroutine_handle<> begin_slowly(promise_base& parent);
  std::coroutine_handle<> wait(promise_base& parent);
  /// The join has failed, or the parent is destroyed where it waits.
  HARRIER_EXPORT HARRIER_NOINLINE static void drop(promise_base& child) noexcept;
  /// A cancel goes on to the child, whose end then resumes the parent.
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static const ready_operations operations_table;

  union {
    suspension wait_;  // made only if the parent waits, which is rare; first: see withdraw()
  };
  promise_base* child_;
};

template <class T>
class join_child_awaiter final {
 public:
  using handle_type = std::coroutine_handle<task_promise<T>>;

  HARRIER_INLINE explicit join_child_awaiter(handle_type child)
      : join_(child ? &child.promise() : nullptr) {
    if (!child) [[unlikely]] {
      throw_invalid_task();
    }
  }
  join_child_awaiter(const join_child_awaiter&) = delete;
  join_child_awaiter& operator=(const join_child_awaiter&) = delete;
  HARRIER_INLINE ~join_child_awaiter() {}

  bool await_ready() const noexcept { return false; }

  template <class Parent>
  HARRIER_PUBLISHES std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) {
    static_assert(std::derived_from<Parent, promise_base>);
    return join_.begin(parent);
  }

  HARRIER_INLINE T await_resume() {
    auto& child = static_cast<task_promise<T>&>(join_.child());
    if (!child.has_plain_value()) [[unlikely]] {
      join_.end_otherwise();
    }
    const frame_end end(join_);
    return child.take_value();
  }

 private:
  class frame_end {
   public:
    HARRIER_INLINE explicit frame_end(child_join& join) noexcept : join_(join) {}
    HARRIER_INLINE ~frame_end() { join_.destroy_child(); }

   private:
    child_join& join_;
  };

  child_join join_;
};

/// A join that is awaited at once.
template <class T>
class [[nodiscard]] child_joining {
 public:
  using harrier_native = void;

  HARRIER_INLINE explicit child_joining(std::coroutine_handle<task_promise<T>> child) noexcept
      : child_(child) {}
  child_joining(const child_joining&) = delete;
  child_joining& operator=(const child_joining&) = delete;
  HARRIER_INLINE ~child_joining() {
    if (child_) [[unlikely]] {
      drop_unjoined(child_.promise());
    }
  }

  HARRIER_INLINE join_child_awaiter<T> operator co_await() & {
    return join_child_awaiter<T>(std::exchange(child_, {}));
  }
  HARRIER_INLINE join_child_awaiter<T> operator co_await() && {
    return join_child_awaiter<T>(std::exchange(child_, {}));
  }

 private:
  std::coroutine_handle<task_promise<T>> child_;
};

}  // namespace detail

/// A child that was forked: join it with `co_await`, once, in the reverse order of forking.
///
/// Lifetime  lives in the parent's frame and ends before what the child refers to. Dropped
///           unjoined, a child that nobody stole does not run; one that was stolen is cancelled and
///           waited for. That wait can not be suspended: the thread sleeps in it, and another one
///           serves its worker, made at first need and kept; if there can be none, this one runs what
///           is ready there. A thread for each such wait: join on error paths, too, or let
///           when_all() do it. The child's parameters end before the join gives its result, which
///           must not refer to them.
/// Errors    the join rethrows what the child threw. A second join throws invalid_task.
/// Cancel    a cancel of the parent goes on to the child that it joins.
/// Cost      a push and a pop; a child that nobody stole is then awaited in place. Its frame goes
///           with the join. A wait for a dropped one: two wakes of a thread, some 10 us, and
///           making it, once.
template <class T>
class [[nodiscard]] forked {
 public:
  using value_type = T;
  using harrier_native = void;

  HARRIER_INLINE forked(forked&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  forked& operator=(forked&&) = delete;
  HARRIER_INLINE ~forked() {
    if (handle_) [[unlikely]] {
      detail::drop_unjoined(handle_.promise());
    }
  }

  HARRIER_INLINE detail::join_child_awaiter<T> operator co_await() & {
    return detail::join_child_awaiter<T>(std::exchange(handle_, {}));
  }
  HARRIER_INLINE detail::join_child_awaiter<T> operator co_await() && {
    return detail::join_child_awaiter<T>(std::exchange(handle_, {}));
  }

 private:
  template <class U>
  friend forked<U> detail::fork_now(task<U>&& child);

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

  HARRIER_INLINE explicit fork_operation(task<T> child) noexcept : child_(std::move(child)) {}
  fork_operation(const fork_operation&) = delete;
  fork_operation& operator=(const fork_operation&) = delete;
  HARRIER_INLINE ~fork_operation() {}

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
