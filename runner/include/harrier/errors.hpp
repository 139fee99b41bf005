// SPDX-License-Identifier: Apache-2.0
// The exceptions for misuse and for the world's failures. Cancellation has its own file.
#pragma once

#include <harrier/detail/config.hpp>

#include <exception>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

namespace harrier {

class diagnosis;

/// A runner was used after `close()`. The work handed in never started.
class HARRIER_EXPORT runner_closed : public std::logic_error {
 public:
  runner_closed();
};

/// `run()` or `close()` was called on a thread whose loop is running. The work handed in never
/// started: `co_await` it, or `spawn` it, instead.
class HARRIER_EXPORT loop_running : public std::logic_error {
 public:
  explicit loop_running(const char* call);
};

/// A call that blocks its thread was made inside a running loop, which it would have stopped.
class HARRIER_EXPORT blocking_in_loop : public std::logic_error {
 public:
  explicit blocking_in_loop(const char* call);
};

/// Something that needs the running loop was used on a thread that runs none.
class HARRIER_EXPORT no_running_loop : public std::logic_error {
 public:
  explicit no_running_loop(const char* call);
};

/// A second thread used a runner while the first was running it.
class HARRIER_EXPORT already_running : public std::logic_error {
 public:
  already_running();
};

/// A task was awaited, run or spawned after it had been consumed or moved from.
class HARRIER_EXPORT invalid_task : public std::logic_error {
 public:
  invalid_task();
};

/// A call that belongs to the thread which runs the loop was made on another one: use `post()` or
/// `submit()` there.
class HARRIER_EXPORT wrong_thread : public std::logic_error {
 public:
  explicit wrong_thread(const char* call);
};

/// A task awaited its own handle: it would have waited for ever.
class HARRIER_EXPORT self_await : public std::logic_error {
 public:
  self_await();
};

/// A timeout_scope was used before it was entered, after its end, or twice.
class HARRIER_EXPORT timeout_misuse : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A task_group was used before it was entered, while it ends, after its end, or twice. A task handed
/// to it never started.
class HARRIER_EXPORT task_group_misuse : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The time limit of a scope has passed, and what ran in it was cancelled for that.
class HARRIER_EXPORT timed_out : public std::runtime_error {
 public:
  timed_out();
};

/// Something was posted to or spawned on a loop after it closed.
class HARRIER_EXPORT loop_closed : public std::runtime_error {
 public:
  loop_closed();
};

/// `event_loop::stop()` ended the loop before the task given to `run()` had finished. The task
/// stays: the next `run()` continues it, `close()` cancels it.
class HARRIER_EXPORT loop_stopped : public std::runtime_error {
 public:
  loop_stopped();
};

/// Nothing is left that could ever run, yet somebody waits.
class HARRIER_EXPORT deadlock : public std::runtime_error {
 public:
  deadlock();
  /// With what everybody waits for.
  explicit deadlock(const diagnosis& found);
};

/// Work was handed to a runtime after `stop()`. Nothing of it started.
class HARRIER_EXPORT runtime_stopped : public std::runtime_error {
 public:
  runtime_stopped();
};

/// What an exception handler is told.
class HARRIER_EXPORT error_report {
 public:
  error_report(std::string message, std::exception_ptr error, std::string task_name);

  std::string message;  ///< what happened, in words
  std::exception_ptr error;  ///< the exception itself
  std::string task_name;  ///< the task it ended, if it had a name
  /// Where the task waits, if it does: the co_await of each of its coroutines, innermost first.
  std::vector<std::source_location> waits_at;
  /// Where the task was spawned; known in debug mode only.
  std::optional<std::source_location> spawned_at;
};

}  // namespace harrier
