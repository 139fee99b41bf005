// SPDX-License-Identifier: Apache-2.0
#include <harrier/errors.hpp>

#include <harrier/cancellation.hpp>
#include <harrier/diagnosis.hpp>
#include <harrier/task.hpp>

#include <ostream>
#include <sstream>
#include <typeinfo>
#include <utility>

namespace harrier {

runner_closed::runner_closed() : std::logic_error("runner is closed") {}

loop_running::loop_running(const char* call)
    : std::logic_error(std::string(call) +
                       " called inside a running event loop: co_await the task, or spawn it") {}

blocking_in_loop::blocking_in_loop(const char* call)
    : std::logic_error(std::string(call) +
                       " would block a running event loop: use co_await instead") {}

no_running_loop::no_running_loop(const char* call)
    : std::logic_error(std::string(call) + " needs a running event loop on this thread") {}

already_running::already_running()
    : std::logic_error("runner is already running on another thread") {}

invalid_task::invalid_task()
    : std::logic_error("task has already been awaited, run or spawned, or was moved from") {}

void detail::throw_invalid_task() { throw invalid_task(); }

wrong_thread::wrong_thread(const char* call)
    : std::logic_error(std::string(call) +
                       " called on another thread than the loop's: use post() or submit()") {}

loop_closed::loop_closed() : std::runtime_error("event loop is closed") {}

loop_stopped::loop_stopped() : std::runtime_error("event loop stopped before the task completed") {}

deadlock::deadlock()
    : std::runtime_error("nothing left to run: every task waits for something that cannot happen") {
}

namespace {
std::string with_diagnosis(const char* message, const diagnosis& found) {
  std::ostringstream text;
  text << message << ":\n" << found;
  return std::move(text).str();
}
}  // namespace

deadlock::deadlock(const diagnosis& found)
    : std::runtime_error(with_diagnosis(deadlock().what(), found)) {}

runtime_stopped::runtime_stopped() : std::runtime_error("runtime is stopped") {}

error_report::error_report(std::string message_, std::exception_ptr error_, std::string task_name_)
    : message(std::move(message_)), error(std::move(error_)), task_name(std::move(task_name_)) {}

cancelled::cancelled(std::shared_ptr<const std::string> message) noexcept
    : message_(std::move(message)) {}

cancelled::~cancelled() = default;

const char* cancelled::what() const noexcept { return message_ ? message_->c_str() : "cancelled"; }

run_cancelled::run_cancelled(const cancelled& reason)
    : cancelled(reason), std::runtime_error(reason.what()) {}

const char* run_cancelled::what() const noexcept { return cancelled::what(); }

bool detail::is_cancel(const std::exception_ptr& error) noexcept {
#if defined(__GLIBCXX__)
  if (*error.__cxa_exception_type() == typeid(cancelled)) {
    return true;
  }
#endif
  try {
    std::rethrow_exception(error);
  } catch (const cancelled&) {
    return true;
  } catch (...) {  // the question was only whether it is a cancel
    return false;
  }
}

timed_out::timed_out() : std::runtime_error("timed out") {}

self_await::self_await() : std::logic_error("a task cannot wait for itself") {}

}  // namespace harrier
