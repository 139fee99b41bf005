// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/cancellation.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/event_loop.hpp>
#include <harrier/task_ref.hpp>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace harrier {
namespace detail {

/// Waits, in a coroutine, for a task to end.
class HARRIER_EXPORT join_suspension : public suspension, private completion {
 public:
  explicit join_suspension(task_record& target) noexcept;
  /// A cancel of the waiter is not passed on.
  enum shielded_t { shielded };
  join_suspension(task_record& target, shielded_t) noexcept;

  bool await_ready() const noexcept { return target_->is_done(); }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "co_await of a join_handle");
    return publish();
  }

 protected:
  task_record* target_;

 private:
  bool publish();
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static withdrawal withdraw_shielded(ready_node& node) noexcept;
  static void told(completion& self, task_record& ended) noexcept;
  static const ready_operations operations_table;
  static const ready_operations shielded_table;
};

/// Blocks the calling thread, which runs no loop, until the task has ended.
HARRIER_EXPORT void wait_blocking(task_record& target, const char* call);
/// The same, at most until `deadline` on the steady clock. False: it has not ended.
HARRIER_EXPORT bool wait_blocking_until(task_record& target, time_point deadline, const char* call);

/// The result of an ended task, for ordinary code: a cancel comes out as run_cancelled.
template <class T>
T take_result_outside(task_record& ended) {
  try {
    return take_result<T>(ended);
  } catch (const run_cancelled&) {
    throw;
  } catch (const cancelled& reason) {
    throw run_cancelled(reason);
  }
}

/// The record behind a handle, for what waits for many.
struct handle_access {
  template <class T>
  static task_record& record(const join_handle<T>& of) {
    return of.checked();
  }
};

template <class T>
class [[nodiscard]] join_awaiter final : public join_suspension {
 public:
  explicit join_awaiter(task_record& target) noexcept : join_suspension(target) {}

  T await_resume() {
    deliver_cancel();
    return take_result<T>(*target_);
  }
};

}  // namespace detail

/// A spawned task, seen from outside: await it, wait for it, cancel it, or let it go.
///
/// Threads   one thread at a time; cancel() and done() from any.
/// Lifetime  dropping the handle detaches the task, which its loop owns; the task's result lives as
///           long as the handle, and so do the frame and the parameters: dropping the handle of a task
///           that is done destroys them there. Any number of coroutines may wait; one of them takes a
///           value.
/// Errors    what the task threw is rethrown to whoever waits; self_await. An error that nobody took is
///           reported to the exception handler when the task is destroyed.
/// Memory    the end of the task happens before the wait for it returns.
template <class T>
class [[nodiscard]] join_handle {
 public:
  using value_type = T;
  using harrier_native = void;

  join_handle() noexcept = default;
  explicit join_handle(detail::task_record& record) noexcept : record_(&record) {}
  join_handle(join_handle&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  join_handle& operator=(join_handle&& other) noexcept {
    if (this != &other) {
      detach();
      record_ = std::exchange(other.record_, nullptr);
    }
    return *this;
  }
  ~join_handle() { detach(); }

  bool valid() const noexcept { return record_ != nullptr; }
  bool done() const { return checked().is_done(); }

  /// Asks the task to end: `cancelled` is thrown at the suspension where it waits or at its next. A
  /// task that never started never will. False: it had already ended, and nothing changes.
  bool cancel() { return checked().cancel(nullptr); }
  bool cancel(std::string message) {
    return checked().cancel(std::make_shared<const std::string>(std::move(message)));
  }

  /// How many cancels are outstanding: requested, and not taken back.
  std::uint32_t cancelling() const { return checked().requests(); }
  /// Takes one cancel back, for whoever has dealt with it, and gives how many are left. When none is
  /// left, one that was not yet delivered is not delivered any more; one that has ended a wait is.
  std::uint32_t uncancel() { return checked().uncancel(0); }

  /// A reference to the task that can be copied.
  task_ref ref() const { return task_ref(checked()); }

  /// Lets the task go on by itself.
  void detach() noexcept {
    if (record_ != nullptr) {
      std::exchange(record_, nullptr)->drop_reference();
    }
  }

  /// Waits in a coroutine and gives the result. A cancel of the waiter goes on to the task.
  detail::join_awaiter<T> operator co_await() const { return detail::join_awaiter<T>(checked()); }

  /// Blocks a thread of ordinary code. Throws blocking_in_loop on a thread that runs a loop.
  void wait() const { detail::wait_blocking(checked(), "join_handle::wait"); }

  /// The same for at most `limit`, by the steady clock. False: the task goes on.
  bool wait_for(duration limit) const {
    return detail::wait_blocking_until(checked(),
                                       deadline_after(std::chrono::steady_clock::now(), limit),
                                       "join_handle::wait_for");
  }

  /// wait(), then the result, once. A cancelled task gives run_cancelled.
  T get() {
    detail::wait_blocking(checked(), "join_handle::get");
    return detail::take_result_outside<T>(*record_);
  }

 private:
  friend struct detail::handle_access;

  detail::task_record& checked() const {
    if (record_ == nullptr) {
      throw invalid_task();
    }
    return *record_;
  }

  detail::task_record* record_ = nullptr;
};

template <class T>
detail::task_record& event_loop::make_task(task<T>& work, std::string_view name,
                                           std::source_location where) {
  if (!work.valid()) {
    throw invalid_task();
  }
  if (closed_) {
    throw loop_closed();
  }
  if (debug_) [[unlikely]] {
    check_thread("event_loop::spawn");
  }
  detail::task_record& record =
      detail::make_unlisted_root_record(detail::task_access::promise(work), *this, name);
  if (debug_) [[unlikely]] {
    detail::note_spawn(record, where);
  }
  live().add(record);  // from here on others may read it
  detail::task_access::release(work);  // the record owns the frame from here
  return record;
}

template <class T>
join_handle<T> event_loop::spawn(task<T> work, std::string_view name, std::source_location where) {
  detail::task_record& record = make_task(work, name, where);
  join_handle<T> result(record);
  enqueue(record);
  return result;
}

template <class T>
join_handle<T> event_loop::spawn(task<T> work, const context& where, std::string_view name,
                                 std::source_location site) {
  detail::task_record& record = make_task(work, name, site);
  record.context = where.share();
  join_handle<T> result(record);
  enqueue(record);
  return result;
}

template <class T>
join_handle<T> event_loop::spawn(eager_start /*how*/, task<T> work, std::string_view name,
                                 std::source_location where) {
  detail::task_record& record = make_task(work, name, where);
  join_handle<T> result(record);
  detail::start_eagerly(record, *this);
  return result;
}

template <class T>
join_handle<T> event_loop::submit(task<T> work, std::string_view name) {
  if (!work.valid()) {
    throw invalid_task();
  }
  detail::task_record& record =
      detail::submit_root_record(detail::task_access::promise(work), *this, name);
  detail::task_access::release(work);  // only forgets it: the task may have ended by now
  return join_handle<T>(record);
}

/// Starts `work` as a task of its own on the running loop; in a worker, where it may be stolen.
/// Throws no_running_loop, and then the work never starts.
template <class T>
join_handle<T> spawn(task<T> work, std::string_view name = {},
                     std::source_location where = std::source_location::current()) {
  return this_loop().spawn(std::move(work), name, where);
}
/// The same with the first step inside the call.
template <class T>
join_handle<T> spawn(eager_start how, task<T> work, std::string_view name = {},
                     std::source_location where = std::source_location::current()) {
  return this_loop().spawn(how, std::move(work), name, where);
}

/// The same in `where`, instead of a copy of the caller's context.
template <class T>
join_handle<T> spawn(task<T> work, const context& where, std::string_view name = {},
                     std::source_location site = std::source_location::current()) {
  return this_loop().spawn(std::move(work), where, name, site);
}

}  // namespace harrier
