// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/promise.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace harrier {

template <class T = void>
class task;

namespace detail {

template <class T>
class task_promise final : public result_promise<T> {
 public:
  task<T> get_return_object() noexcept;
};

/// The result of a task that has ended, from its record: a value once, an error as often as asked.
template <class T>
T take_result(task_record& ended) {
  if (ended.ended_cancelled()) [[unlikely]] {
    ended.throw_cancelled();
  }
  if (ended.root->result == result_kind::error) [[unlikely]] {
    ended.take_error();
    std::rethrow_exception(ended.root->error);
  }
  return static_cast<task_promise<T>&>(*ended.root).take();
}

/// A task is dropped that nobody has started: a report in debug mode. It takes the handle and not the
/// task. What owners of handles do is inlined down to calls such as this one, on the paths of errors,
/// too: one whose address goes nowhere is no variable of a coroutine's frame.
HARRIER_EXPORT void drop_unstarted(std::coroutine_handle<> unstarted) noexcept;
[[noreturn]] HARRIER_EXPORT void throw_invalid_task();

/// Awaits a child in place: no scheduling, no record, two transfers.
template <class T>
class [[nodiscard]] task_awaiter {
 public:
  using handle_type = std::coroutine_handle<task_promise<T>>;

  HARRIER_INLINE explicit task_awaiter(handle_type child) : child_(child) {
    if (!child_) [[unlikely]] {
      throw_invalid_task();
    }
  }
  task_awaiter(const task_awaiter&) = delete;
  task_awaiter& operator=(const task_awaiter&) = delete;
  HARRIER_INLINE ~task_awaiter() { child_.destroy(); }

  bool await_ready() const noexcept { return false; }

  template <class Parent>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) noexcept {
    promise_base& child = child_.promise();
    if constexpr (std::derived_from<Parent, promise_base>) {
      child.is_awaited_by(parent);
    } else {
      child.continuation = parent;
      child.started_as = role::guest;
    }
    return transfer(child_);
  }

  T await_resume() { return child_.promise().take(); }

  task_promise<T>& promise() noexcept { return child_.promise(); }

 private:
  handle_type child_;
};

/// Reaches into a task; the runner, the batch and fork take frames from tasks with it.
struct task_access {
  template <class T>
  static std::coroutine_handle<task_promise<T>> release(task<T>& from) noexcept {
    return std::exchange(from.handle_, {});
  }
  template <class T>
  static task_promise<T>& promise(task<T>& of) noexcept {
    return of.handle_.promise();
  }
  template <class T>
  static task<T> adopt(std::coroutine_handle<task_promise<T>> handle) noexcept {
    return task<T>(handle);
  }
};

}  // namespace detail

/// A lazy coroutine: owns its frame, and starts when it is awaited, run, spawned or dispatched.
///
/// T may be a value, a reference or void. A task is consumed by what starts it; consuming it a
/// second time throws `invalid_task`. A task that is dropped before it started frees its frame and
/// the parameters in it, and runs nothing.
///
/// Threads   a task that has not started may be moved between threads; one thread at a time.
/// Errors    what the coroutine throws is rethrown, once, to whoever takes its result.
/// Cancel    delivered at the next real suspension; awaiting a child and returning from it are none.
/// Cost      a recycled frame and two transfers: a few nanoseconds (README.md, Measured).
template <class T>
class [[nodiscard]] HARRIER_IN_REGISTERS task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;
  using harrier_native = void;

  HARRIER_INLINE task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  HARRIER_INLINE task& operator=(task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  HARRIER_INLINE ~task() { reset(); }

  /// Whether there is still a coroutine to start.
  bool valid() const noexcept { return static_cast<bool>(handle_); }

  /// Runs the coroutine inside the one that awaits.
  HARRIER_INLINE detail::task_awaiter<T> operator co_await() & {
    return detail::task_awaiter<T>(std::exchange(handle_, {}));
  }
  HARRIER_INLINE detail::task_awaiter<T> operator co_await() && {
    return detail::task_awaiter<T>(std::exchange(handle_, {}));
  }

 private:
  friend promise_type;
  friend struct detail::task_access;
  explicit task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  HARRIER_INLINE void reset() noexcept {
    if (handle_) [[unlikely]] {
      detail::drop_unstarted(handle_);
    }
  }

  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<task_promise<T>>::from_promise(*this));
}

// coroutine_handle<promise_base>::from_promise is only right while the base sits at the front.
static_assert(sizeof(task_promise<void*>) == 40 && alignof(task_promise<void*>) == 8);

}  // namespace detail
}  // namespace harrier
