// SPDX-License-Identifier: Apache-2.0
// Ours awaited by another library's coroutine, which goes on where its own library wants it to.
//
// The awaitable runs as a task on a loop or runtime of ours. At its end the foreign coroutine is handed
// to a function of the caller's, which resumes it: on that library's executor, or right there.
#pragma once

#include <harrier/awaitable.hpp>
#include <harrier/cancellation.hpp>
#include <harrier/event_loop.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier {

/// Resumes the foreign coroutine inside the step of ours that has ended, on our thread.
class resume_inline {
 public:
  resume_inline() noexcept {}
  void operator()(std::coroutine_handle<> handle) const { handle.resume(); }
};

namespace detail {

/// Where the outcome goes: in the foreign coroutine's frame.
template <class T>
class foreign_result {
 public:
  void set_error(std::exception_ptr thrown) noexcept { error_ = std::move(thrown); }
  template <class... U>
  void set(U&&... value) {
    value_.emplace(std::forward<U>(value)...);
  }
  T take() {
    if (error_) {
      std::rethrow_exception(error_);
    }
    if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(**value_);
    } else if constexpr (!std::is_void_v<T>) {
      return std::move(*value_);
    }
  }

 private:
  using kept =
      std::conditional_t<std::is_void_v<T>, bool,
                         std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<T>, T>>;
  std::optional<kept> value_;
  std::exception_ptr error_;
};

/// Resumes the foreign coroutine once, at the latest when the task that carries it is dropped.
template <class T, class Resume>
class foreign_continuation {
 public:
  foreign_continuation(foreign_result<T>& result, std::coroutine_handle<> waiter,
                       Resume resume) noexcept
      : result_(&result), waiter_(waiter), resume_(std::move(resume)) {}
  foreign_continuation(foreign_continuation&& other) noexcept
      : result_(other.result_),
        waiter_(std::exchange(other.waiter_, nullptr)),
        resume_(std::move(other.resume_)) {}
  foreign_continuation& operator=(foreign_continuation&&) = delete;
  ~foreign_continuation() {
    if (waiter_) {  // the host refused the task, or closed before it started
      result_->set_error(std::make_exception_ptr(loop_closed()));
      go_on();
    }
  }

  foreign_result<T>& result() const noexcept { return *result_; }
  /// The result is no longer ours afterwards.
  void go_on() { resume_(std::exchange(waiter_, nullptr)); }

 private:
  foreign_result<T>* result_;
  std::coroutine_handle<> waiter_;
  Resume resume_;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"  // of a frame that holds the user's closure
#endif
template <class A, class T, class Resume>
task<> run_for_foreign(A awaitable, foreign_continuation<T, Resume> continuation) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await awaitable;
      continuation.result().set(true);
    } else if constexpr (std::is_reference_v<T>) {
      T value = co_await awaitable;
      continuation.result().set(std::addressof(value));
    } else {
      T value = co_await awaitable;
      continuation.result().set(std::move(value));
    }
  } catch (...) {  // rethrown in the foreign coroutine, a cancel likewise
    continuation.result().set_error(std::current_exception());
  }
  continuation.go_on();
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

template <class Host, class A, class Resume>
class [[nodiscard]] foreign_operation {
 public:
  using result = await_result_t<A&>;

  foreign_operation(Host& host, A awaitable, Resume resume)
      : host_(host), awaitable_(std::move(awaitable)), resume_(std::move(resume)) {}
  foreign_operation(const foreign_operation&) = delete;
  foreign_operation& operator=(const foreign_operation&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    // Once handed over, the foreign coroutine may have gone on: nothing here is touched afterwards.
    Host& host = host_;
    try {
      foreign_continuation<result, Resume> continuation(result_, waiter, std::move(resume_));
      auto work =
          run_for_foreign<A, result, Resume>(std::move(awaitable_), std::move(continuation));
      if constexpr (requires { host.submit(std::move(work)); }) {
        host.submit(std::move(work)).detach();
      } else {
        host.spawn(std::move(work)).detach();
      }
    } catch (...) {  // dropped: with the task the continuation went, and resumed with an error
    }
  }
  result await_resume() { return result_.take(); }

 private:
  Host& host_;
  A awaitable_;
  Resume resume_;
  foreign_result<result> result_;
};

}  // namespace detail

/// For a coroutine of another library: runs `awaitable` (a task, a handle, a sleep, anything of ours)
/// on `host`, an event_loop or a runtime, and then calls `resume(handle)` with the foreign coroutine's
/// handle on the thread where that ended. `resume` sends it to its own executor; without one it is
/// resumed there.
///
/// Threads   awaited on any thread.
/// Lifetime  `host` outlives the await. If it closes meanwhile, the coroutine gets `cancelled`.
/// Errors    what the awaitable throws; loop_closed: the host is closed or stopped, or had no memory.
/// Cost      a task: a frame, a record, a wake of the host.
template <class Host, awaitable A, class Resume = resume_inline>
auto as_foreign(Host& host, A&& awaitable, Resume resume = Resume()) {
  return detail::foreign_operation<Host, std::remove_cvref_t<A>, Resume>(
      host, std::forward<A>(awaitable), std::move(resume));
}

}  // namespace harrier
