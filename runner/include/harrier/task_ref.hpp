// SPDX-License-Identifier: Apache-2.0
// A task seen from anywhere: its name, whether it has ended, cancels. And how a coroutine gets its own.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/task_record.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace harrier {

namespace detail {
struct task_ref_access;
}

/// Refers to a task that was run, spawned or dispatched; copies refer to the same one.
///
/// Threads   one thread at a time for an object; the task itself may be asked and cancelled by any.
/// Lifetime  keeps what the task is made of, frame and result, until the last reference has gone: do
///           not collect them. The runtime of a task outlives what refers to it.
/// Cost      a counter.
class task_ref {
 public:
  task_ref() noexcept = default;
  explicit task_ref(detail::task_record& record) noexcept : record_(&record) {
    record.add_reference();
  }
  task_ref(const task_ref& other) noexcept : record_(other.record_) {
    if (record_ != nullptr) {
      record_->add_reference();
    }
  }
  task_ref(task_ref&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  task_ref& operator=(task_ref other) noexcept {
    std::swap(record_, other.record_);
    return *this;
  }
  ~task_ref() {
    if (record_ != nullptr) {
      record_->drop_reference();
    }
  }

  bool valid() const noexcept { return record_ != nullptr; }
  /// "" without one.
  std::string name() const { return checked().name(); }
  bool done() const { return checked().is_done(); }

  /// As join_handle::cancel().
  bool cancel() const { return checked().cancel(nullptr); }
  bool cancel(std::string message) const {
    return checked().cancel(std::make_shared<const std::string>(std::move(message)));
  }
  /// As join_handle::cancelling() and uncancel().
  std::uint32_t cancelling() const { return checked().requests(); }
  std::uint32_t uncancel() const { return checked().uncancel(0); }

  /// Whether both refer to the same task.
  friend bool operator==(const task_ref& a, const task_ref& b) noexcept {
    return a.record_ == b.record_;
  }

 private:
  friend struct detail::task_ref_access;

  detail::task_record& checked() const {
    if (record_ == nullptr) {
      throw invalid_task();
    }
    return *record_;
  }

  detail::task_record* record_ = nullptr;
};

/// Whether somebody wants the task to stop, for loops that compute and for other libraries.
///
/// It is a level, not an edge: true for as long as a cancel is outstanding, also one that the task has
/// caught, until `uncancel()`. Looking neither delivers a cancel nor takes it back.
///
/// Threads   any.
/// Lifetime  the task's: not to be asked once the task has ended.
/// Cost      one relaxed load.
class stop_view {
 public:
  explicit stop_view(const detail::task_record& record) noexcept : record_(&record) {}
  bool stop_requested() const noexcept { return record_->was_cancelled(); }

 private:
  const detail::task_record* record_;
};

namespace detail {

/// The record behind a reference, for what waits for many.
struct task_ref_access {
  static task_record& record(const task_ref& of) { return of.checked(); }
};

/// Gives something made from the record of the task that awaits. Does not suspend.
template <class Result>
class [[nodiscard]] current_record_operation {
 public:
  using harrier_native = void;
  current_record_operation() noexcept {}

  class awaiter {
   public:
    awaiter() noexcept {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) {
      record_ = &handle.promise().record();
      return false;
    }
    Result await_resume() const noexcept { return Result(*record_); }

   private:
    task_record* record_ = nullptr;
  };

  awaiter operator co_await() const noexcept { return awaiter(); }
};

}  // namespace detail

/// The task that runs: `task_ref self = co_await current_task();`
///
/// A coroutine that is awaited is part of the task that awaits it, and so is a forked child that nobody
/// stole. An item of a batch, or a stolen child, becomes a task of its own by asking, if it was not yet.
/// Errors   std::bad_alloc, then only.
/// Cancel   not delivered here.
/// Cost     no suspension.
inline detail::current_record_operation<task_ref> current_task() noexcept {
  return detail::current_record_operation<task_ref>();
}

/// The same as a view that costs one load: `const stop_view stop = co_await current_stop_view();`
inline detail::current_record_operation<stop_view> current_stop_view() noexcept {
  return detail::current_record_operation<stop_view>();
}

}  // namespace harrier
