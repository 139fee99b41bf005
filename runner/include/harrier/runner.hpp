// SPDX-License-Identifier: Apache-2.0
// The single-threaded half of harrier; the umbrella header of harrier::runner.
#pragma once

#include <harrier/as_foreign.hpp>
#include <harrier/async_generator.hpp>
#include <harrier/awaitable.hpp>
#include <harrier/callback_handle.hpp>
#include <harrier/cancellation.hpp>
#include <harrier/clock.hpp>
#include <harrier/close_options.hpp>
#include <harrier/context.hpp>
#include <harrier/debug.hpp>
#include <harrier/diagnosis.hpp>
#include <harrier/errors.hpp>
#include <harrier/event_loop.hpp>
#include <harrier/exception_group.hpp>
#include <harrier/from_callback.hpp>
#include <harrier/future.hpp>
#include <harrier/generator.hpp>
#include <harrier/join_handle.hpp>
#include <harrier/outcome.hpp>
#include <harrier/scheduler.hpp>
#include <harrier/signals.hpp>
#include <harrier/sleep.hpp>
#include <harrier/sync/barrier.hpp>
#include <harrier/sync/broadcast.hpp>
#include <harrier/sync/channel.hpp>
#include <harrier/sync/condition.hpp>
#include <harrier/sync/errors.hpp>
#include <harrier/sync/event.hpp>
#include <harrier/sync/latch.hpp>
#include <harrier/sync/mutex.hpp>
#include <harrier/sync/once_flag.hpp>
#include <harrier/sync/oneshot.hpp>
#include <harrier/sync/semaphore.hpp>
#include <harrier/sync/shared_mutex.hpp>
#include <harrier/sync/wait_group.hpp>
#include <harrier/task.hpp>
#include <harrier/task_group.hpp>
#include <harrier/task_ref.hpp>
#include <harrier/timeout.hpp>
#include <harrier/version.hpp>
#include <harrier/wait.hpp>
#include <harrier/when_any.hpp>
#include <harrier/yield.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier {

namespace detail {
class loop_signals;
class loop_dumps;
}  // namespace detail

/// How a runner makes its loop. The defaults suit most programs.
class HARRIER_EXPORT runner_options {
 public:
  runner_options();
  ~runner_options();
  runner_options(const runner_options&);
  runner_options(runner_options&&) noexcept;
  runner_options& operator=(const runner_options&);
  runner_options& operator=(runner_options&&) noexcept;

  /// The loop's clock; the steady clock if null. Outlives the runner.
  clock* time = nullptr;
  /// Called when the loop is about to be made. If it throws, the runner stays as created.
  std::function<void()> on_loop_created;
  /// Makes the loop, once, instead of the runner: with a clock of its own, say, that lives as long. The
  /// runner gives it the options below that concern a loop; `time` and `exception_handler` are the
  /// factory's business. If it throws, the runner stays as created; null: std::invalid_argument.
  std::function<std::shared_ptr<event_loop>()> loop_factory;
  /// Told of errors that nobody can receive; by default they are printed to stderr. Called on the
  /// thread where the error is dropped, and for as long as handles of this runner's tasks exist.
  std::function<void(const error_report&)> exception_handler;
  /// How long close() lets a task ignore its cancel before it reports it by name and insists.
  duration grace = std::chrono::seconds(5);
  /// The signals to take, from the first run until the close. In a run the first press cancels main,
  /// and only main: if that ends it, run() throws `interrupted`, but a main that catches the cancel
  /// gives its value, and one that somebody else has cancelled too gives run_cancelled. A second press
  /// leaves the run at once. Presses between two runs are one press for the next; one in close() ends
  /// the grace.
  ///
  /// A signal for which the program, or another runner, has set a handler, or which it ignores, is
  /// left alone. Calls of ordinary code that block return EINTR at a press.
  signals handle_signals = signals::none;
  debug_mode debug = debug_mode::from_environment;
  /// What counts as a slow step in debug mode, by the loop's clock.
  duration slow_step = std::chrono::milliseconds(100);
  /// If a run waits and nothing has run for that long, by the loop's clock, the handler is told, once for
  /// each such silence, what every task waits for. 0: never. A sleep is no silence if it ends in time.
  duration watchdog{0};
  /// A signal at which the handler is told that, too, while the runner runs: SIGUSR1, say. It is taken
  /// from the first run until the close; one for which the program, or another runner, has set a
  /// handler, or which it ignores, is left alone. 0: none. More than four at once are not served.
  int dump_signal = 0;
};

enum class runner_state {
  created,  ///< no loop yet: nothing but the options
  initialized,  ///< the loop exists
  closed,  ///< for good
};

/// Owns one event loop, made at first use, and runs coroutines in it from ordinary code, as often
/// as you like: the model of Python's `asyncio.Runner`.
///
/// Threads   not tied to the thread that made it; one thread at a time, a second one gets
///           `already_running`. On one thread only one loop runs at a time.
/// Lifetime  the destructor closes.
/// Cost      unused: a few words. A run() of a trivial coroutine: tens of nanoseconds.
/// Origin    asyncio.Runner of Python 3.13; docs/asyncio.md lists what differs.
class HARRIER_EXPORT runner final {
 public:
  runner();
  explicit runner(runner_options options);
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;
  ~runner();

  /// Runs `work` (a task, or anything that can be awaited) to its end and gives its result.
  ///
  /// Tasks that it spawned and did not wait for stay where they are until the next run, or close.
  /// Errors  what `work` throws; run_cancelled; loop_stopped; deadlock. loop_running,
  ///         already_running and runner_closed: nothing was started.
  template <awaitable A>
  await_result_t<A> run(A&& work);
  /// The same in `where` instead of the runner's own context.
  template <awaitable A>
  await_result_t<A> run(A&& work, const harrier::context& where);

  /// Runs all of `work` in one entry of the loop and gives the results in order.
  /// Errors  the first to fail by position, after all of them have ended.
  template <class T>
  std::vector<T> run_all(std::vector<task<T>> work);
  void run_all(std::vector<task<>> work);

  /// The loop, made now if there was none. Runs nothing.
  event_loop& loop();

  /// A copy of the context in which main tasks run, one after the other: what one run sets the next run
  /// sees. It begins as a copy of what the thread had set when the loop was made.
  harrier::context context() const;

  /// Cancels what still runs, waits for it, and closes the loop. Terminal, also when unused;
  /// a second close does nothing. Throws loop_running, with no effect, inside a running loop.
  void close(close_options how = {});

  runner_state state() const noexcept;

  /// What every live task waits for, and who waits in a circle; empty before the first use and after the
  /// close. From inside the loop, or, while nobody runs it, from the thread that owns the runner.
  ///
  /// Errors   wrong_thread, std::bad_alloc.
  /// Example  docs/doctor.md
  diagnosis diagnose();
  /// The same as text.
  void dump(std::ostream& out);

 private:
  event_loop& make_loop();
  /// Runs the loop until `main` has ended. In the runner's own context if `where` is null. Gives the
  /// signal that cancelled it, or 0.
  int run_to_end(detail::task_record& main, const harrier::context* where);
  void close_loop(const close_options& how);
  template <awaitable A>
  await_result_t<A> run_in(A&& work, const harrier::context* where);

  runner_options options_;
  detail::context_word context_;
  std::atomic<bool> busy_{false};
  std::atomic<runner_state> state_{runner_state::created};
  std::optional<event_loop> own_loop_;
  std::shared_ptr<event_loop> made_loop_;  // by the factory
  event_loop* loop_ = nullptr;  // either of the two
  std::unique_ptr<detail::loop_signals> signals_;
  std::unique_ptr<detail::loop_dumps> dumps_;
};

/// One coroutine in a loop of its own: a scoped runner and one run.
template <awaitable A>
await_result_t<A> run(A&& work) {
  runner scope;
  return scope.run(std::forward<A>(work));
}

namespace detail {

/// Main has ended by a cancel, to which a signal has contributed. Throws interrupted if nobody else
/// has cancelled it, else run_cancelled.
[[noreturn]] HARRIER_EXPORT void throw_interrupted(task_record& main, int signal,
                                                   const cancelled& reason);

/// The result of a main to which a signal has come.
template <class T>
T take_result_after_signal(task_record& main, int signal) {
  try {
    return take_result<T>(main);
  } catch (const run_cancelled&) {
    throw;
  } catch (const cancelled& reason) {
    throw_interrupted(main, signal, reason);
  }
}

/// Refuses as a whole what has an empty task in it.
template <class T>
void check_all_valid(const std::vector<task<T>>& work) {
  for (const task<T>& each : work) {
    if (!each.valid()) {
      throw invalid_task();
    }
  }
}

/// Starts all of `work`, waits for all of it, then gives the results or the first error.
template <class T>
task<std::vector<T>> run_each(std::vector<task<T>> work) {
  std::vector<join_handle<T>> handles;
  handles.reserve(work.size());
  for (task<T>& each : work) {
    handles.push_back(spawn(std::move(each)));
  }
  std::vector<T> results;
  results.reserve(handles.size());
  std::exception_ptr first_error;
  for (join_handle<T>& handle : handles) {
    try {
      results.push_back(co_await handle);
    } catch (...) {  // kept: rethrown below, once all have ended
      if (!first_error) {
        first_error = std::current_exception();
      }
    }
  }
  if (first_error) {
    std::rethrow_exception(first_error);
  }
  co_return results;
}
/// A handle: no task goes into or out of the binary by value (HARRIER_IN_REGISTERS).
HARRIER_EXPORT std::coroutine_handle<task_promise<void>> run_each_of(std::vector<task<>>& work);
inline task<> run_each(std::vector<task<>> work) {
  return task_access::adopt<void>(run_each_of(work));
}

/// A reference to a record for a scope.
class held_record {
 public:
  explicit held_record(task_record& record) noexcept : record_(record) {}
  ~held_record() { record_.drop_reference(); }
  held_record(const held_record&) = delete;
  held_record& operator=(const held_record&) = delete;
  task_record& operator*() const noexcept { return record_; }

 private:
  task_record& record_;
};

/// A runner claimed by one thread for one call.
class HARRIER_EXPORT runner_claim {
 public:
  runner_claim(std::atomic<bool>& busy, const char* call);
  ~runner_claim();
  runner_claim(const runner_claim&) = delete;
  runner_claim& operator=(const runner_claim&) = delete;

 private:
  std::atomic<bool>& busy_;
};

}  // namespace detail

template <awaitable A>
await_result_t<A> runner::run(A&& work) {
  return run_in(std::forward<A>(work), nullptr);
}

template <awaitable A>
await_result_t<A> runner::run(A&& work, const harrier::context& where) {
  return run_in(std::forward<A>(work), &where);
}

template <awaitable A>
await_result_t<A> runner::run_in(A&& work, const harrier::context* where) {
  using result = await_result_t<A>;
  // The checks come first, so that a refused call neither consumes the work nor makes a loop.
  const detail::runner_claim claim(busy_, "runner::run");
  if constexpr (detail::is_task<std::remove_cvref_t<A>>) {
    if (!work.valid()) {
      throw invalid_task();
    }
  }
  event_loop& loop = make_loop();
  task<result> main = detail::as_task(std::forward<A>(work));
  const detail::held_record record(
      detail::make_root_record(detail::task_access::promise(main), loop, detail::main_name));
  detail::task_access::release(main);  // the record owns the frame from here
  if (const int signal = run_to_end(*record, where); signal != 0) [[unlikely]] {
    return detail::take_result_after_signal<result>(*record, signal);
  }
  return detail::take_result_outside<result>(*record);
}

template <class T>
std::vector<T> runner::run_all(std::vector<task<T>> work) {
  detail::check_all_valid(work);
  return run(detail::run_each(std::move(work)));
}

}  // namespace harrier
