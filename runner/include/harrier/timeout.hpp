// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/awaitable.hpp>
#include <harrier/clock.hpp>
#include <harrier/detail/private_cancel.hpp>
#include <harrier/detail/quiet_child.hpp>
#include <harrier/detail/timer_heap.hpp>
#include <harrier/errors.hpp>
#include <harrier/task.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier {

class timeout_scope;

namespace detail {

/// The timer of a timeout_scope, and its way back from the loop that has it.
///
/// A task may be stolen while it is in the scope: its timer stays in the heap of the loop where it was
/// set, which only that loop's thread touches. Other threads send the timer itself there, as a node.
/// Threads   arm() and what follows it: the task's. reschedule(): any, while the scope is entered.
class HARRIER_EXPORT timeout_timer final : public timed_suspension {
 public:
  timeout_timer() noexcept : timed_suspension(operations_table) {}
  ~timeout_timer();

  enum class phase : std::uint8_t { fresh, active, expiring, expired, finished };

  phase state() const noexcept {
    // acquire: whoever sees it active sees what arm() wrote  [timeout:phase]
    return phase_.load(std::memory_order_acquire);
  }
  // relaxed: the deadline carries nothing else; the word that it has moved comes by [timeout:mail]
  time_point when() const noexcept { return when_.load(std::memory_order_relaxed); }
  void set_when(time_point when) noexcept { when_.store(when, std::memory_order_relaxed); }

  /// Enters the scope. Throws timeout_misuse, std::bad_alloc.
  void arm(task_record& task, std::optional<duration> limit);
  void reschedule(time_point when);
  /// Takes the timer back. False: another loop has it; then post_retrieval().
  bool disarm() noexcept;
  /// False: that loop is closed, and there is nothing to wait for.
  bool post_retrieval(suspension& leaver) noexcept;
  /// Leaves the scope, after the timer is back. True: the cancel is the scope's own.
  bool leave() noexcept;

 private:
  static constexpr std::uint32_t posted = 1;  // the timer is on its way to its loop
  static constexpr std::uint32_t retrieve = 2;  // it is to be taken out, and the leaver resumed

  bool send(std::uint32_t what) noexcept;
  void place(time_point when);
  void expire_now() noexcept;
  static void arrive(ready_node& node, execution& at);
  static void expire(ready_node& node) noexcept;
  static const ready_operations operations_table;

  private_cancel cancel_;
  std::atomic<phase> phase_{phase::fresh};
  std::atomic<std::uint32_t> mail_{0};
  std::atomic<time_point> when_{time_point::max()};
  event_loop* home_ = nullptr;  // has the timer, if it is set
  time_point set_for_{};  // the home's thread
  event_loop* resume_at_ = nullptr;  // the leaver's loop, while it waits
  suspension* leaver_ = nullptr;  // published by send()
};

/// Gets the task's record and starts the clock.
class [[nodiscard]] enter_timeout {
 public:
  using harrier_native = void;
  enter_timeout(timeout_timer& timer, std::optional<duration> limit) noexcept
      : timer_(timer), limit_(limit) {}

  class awaiter {
   public:
    explicit awaiter(const enter_timeout& operation) noexcept : operation_(operation) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) {
      operation_.timer_.arm(handle.promise().record(), operation_.limit_);
      return false;
    }
    void await_resume() const noexcept {}

   private:
    const enter_timeout& operation_;
  };

  awaiter operator co_await() const& noexcept { return awaiter(*this); }

 private:
  timeout_timer& timer_;
  std::optional<duration> limit_;
};

/// Takes the timer back; suspends only if another loop has it. No cancel is delivered here: the task
/// is not waiting but under way.
class [[nodiscard]] take_timer_back {
 public:
  using harrier_native = void;
  explicit take_timer_back(timeout_timer& timer) noexcept : timer_(timer) {}

  class awaiter final : public suspension {
   public:
    explicit awaiter(timeout_timer& timer) noexcept : suspension(operations_table), timer_(timer) {}
    bool await_ready() const noexcept { return timer_.disarm(); }
    template <class Promise>
    HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
      bind(handle, "a timeout");
      return timer_.post_retrieval(*this);
    }
    void await_resume() const noexcept {}

   private:
    static constexpr ready_operations operations_table =
        suspension::wait_table("a timeout", nullptr);
    timeout_timer& timer_;
  };

  awaiter operator co_await() const noexcept { return awaiter(timer_); }

 private:
  timeout_timer& timer_;
};

}  // namespace detail

/// A limit on the time that one task may take: `timeout_scope limit(50ms); auto op =
/// limit.run(work()); co_await op;`
///
/// When the time has come, what runs in the scope is cancelled and waited for, and the scope throws
/// `timed_out`. Scopes nest: only the outermost of those that have expired throws it.
///
/// Threads   belongs to the task that is in it; reschedule() and the questions: any, meanwhile.
/// Lifetime  outlives the operation that run() gives. One use.
/// Errors    timed_out; what the work throws, also after the time has come; timeout_misuse;
///           std::bad_alloc.
/// Cancel    a cancel from outside is passed on, also if the time has come as well. The count of
///           cancels is as before when the scope is left.
/// Cost      one reading of the clock and a place in the loop's heap, O(log timers); no allocation but
///           a recycled frame.
/// Example   docs/guide.md#timeouts
class timeout_scope {
 public:
  /// No limit, until reschedule() sets one.
  timeout_scope() noexcept {}
  /// Counted from when the scope is entered. Zero and less: over at the first suspension.
  explicit timeout_scope(duration limit) noexcept : limit_(limit) {}
  static timeout_scope at(time_point deadline) noexcept { return timeout_scope(deadline); }
  timeout_scope(const timeout_scope&) = delete;
  timeout_scope& operator=(const timeout_scope&) = delete;

  /// Enters the scope, runs `work` in it, and leaves it.
  template <class T>
  task<T> run(task<T> work) {
    auto child = detail::quiet_child<T>(std::move(work));
    auto entering = detail::enter_timeout(timer_, limit_);
    co_await entering;
    co_await child;
    auto leaving = detail::take_timer_back(timer_);
    co_await leaving;
    if (timer_.leave() && child.was_cancelled()) {
      throw timed_out();
    }
    if constexpr (std::is_void_v<T>) {
      child.take();
    } else {
      co_return child.take();
    }
  }

  /// Moves the end of the time; nullopt: there is none any more. Only while the scope is entered, and
  /// not yet expiring.
  void reschedule(std::optional<time_point> deadline) {
    timer_.reschedule(deadline.value_or(time_point::max()));
  }

  /// When the time is over, on the loop's clock; nullopt: never, or not known before the entry.
  std::optional<time_point> when() const noexcept {
    const time_point when = timer_.when();
    return when == time_point::max() ? std::nullopt : std::optional<time_point>(when);
  }

  /// Whether the time has come while the scope was entered.
  bool expired() const noexcept {
    const auto state = timer_.state();
    return state == detail::timeout_timer::phase::expiring ||
           state == detail::timeout_timer::phase::expired;
  }

 private:
  explicit timeout_scope(time_point deadline) noexcept { timer_.set_when(deadline); }

  std::optional<duration> limit_;
  detail::timeout_timer timer_;
};

/// Awaits `work` for at most `limit`; when that is over cancels it, waits for its end, and throws
/// `timed_out`. A value or another error that comes nevertheless is what comes out. With a limit of
/// zero or less a task is dropped unstarted, and a handle is good only if it is done.
///
/// The rest is as for timeout_scope.
template <awaitable A>
task<await_result_t<A>> with_timeout(duration limit, A work) {
  timeout_scope scope(limit);
  if constexpr (detail::is_task<A>) {
    if (limit <= duration::zero()) {
      throw timed_out();
    }
  }
  auto op = scope.run(detail::as_task(std::move(work)));
  if constexpr (std::is_void_v<await_result_t<A>>) {
    co_await op;
  } else {
    co_return co_await op;
  }
}

/// The same until a time on the loop's clock.
template <awaitable A>
task<await_result_t<A>> with_timeout_at(time_point deadline, A work) {
  timeout_scope scope = timeout_scope::at(deadline);
  auto op = scope.run(detail::as_task(std::move(work)));
  if constexpr (std::is_void_v<await_result_t<A>>) {
    co_await op;
  } else {
    co_return co_await op;
  }
}

/// The same for a body that wants to move the limit: `body(timeout_scope&)` gives the task. The body
/// is kept until that has ended.
template <class F>
  requires std::invocable<F&, timeout_scope&>
std::invoke_result_t<F&, timeout_scope&> with_timeout(duration limit, F body) {
  timeout_scope scope(limit);
  auto op = scope.run(body(scope));
  if constexpr (std::is_void_v<typename std::invoke_result_t<F&, timeout_scope&>::value_type>) {
    co_await op;
  } else {
    co_return co_await op;
  }
}

}  // namespace harrier
