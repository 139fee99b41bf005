// SPDX-License-Identifier: Apache-2.0
// The condition's queue is guarded by the lock in its mutex's word, so that a waiter goes from one
// queue to the other in one step: a notified coroutine resumes once, when it holds the mutex.
#pragma once

#include <harrier/sync/mutex.hpp>
#include <harrier/task.hpp>

#include <coroutine>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace harrier {

template <class Family>
class HARRIER_EXPORT basic_condition;

namespace detail {

template <class Family>
class HARRIER_EXPORT condition_awaiter final : public sync_waiter {
 public:
  explicit condition_awaiter(basic_condition<Family>& condition) noexcept
      : sync_waiter(operations_table), condition_(condition) {}
  ~condition_awaiter() {
    if (outcome == wait_outcome::queued) [[unlikely]] {
      leave_line();  // its frame is destroyed where it waits, and with it who would unlock
    }
  }

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "condition::wait");
    asker_ = &handle.promise();
    return publish();
  }

  void await_resume();

 private:
  friend basic_condition<Family>;

  bool publish() noexcept;
  void leave_line() noexcept;
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static const ready_operations operations_table;

  basic_condition<Family>& condition_;
  promise_base* asker_ = nullptr;  ///< holds the mutex, and will again
  // guarded by the mutex's word
  bool is_in_line_ = false;  ///< it is in the mutex's queue, or has left it
  bool is_notified_ = false;  ///< by a notify, which is not to be lost
  bool is_cancelled_ = false;  ///< a cancel was taken while it waited: thrown when it has the mutex
};

template <class Family>
class [[nodiscard]] condition_operation {
 public:
  using harrier_native = void;
  explicit condition_operation(basic_condition<Family>& condition) noexcept
      : condition_(&condition) {}
  condition_awaiter<Family> operator co_await() const noexcept {
    return condition_awaiter<Family>(*condition_);
  }

 private:
  basic_condition<Family>* condition_;
};

}  // namespace detail

/// Lets tasks that hold a mutex wait for a change of what it protects: `condition`, and
/// `local_condition` for one loop.
///
/// Threads   as for the mutex, which outlives the condition. Everything needs the mutex: not_locked.
/// Order     first in, first out, for the notify and for the mutex after it.
/// Lifetime  outlives the waits on it; destroyed while somebody waits for a notify, it ends the program.
///           If close() destroys a coroutine where it waits, the unlock of its guard has no effect. One
///           that has released its guard and unlocks by hand must not be closed there.
template <class Family>
class HARRIER_EXPORT basic_condition {
 public:
  explicit basic_condition(basic_mutex<Family>& guards) noexcept : mutex_(guards) {}
  basic_condition(const basic_condition&) = delete;
  basic_condition& operator=(const basic_condition&) = delete;
  ~basic_condition() {
    if (!queue_.empty()) [[unlikely]] {
      detail::fatal("a condition was destroyed while coroutines waited for it");
    }
  }

  /// Unlocks the mutex, waits for a notify, and locks it again, in any case.
  ///
  /// Cancel  is taken at once, and thrown when the mutex is locked again: further cancels meanwhile
  ///         are one with it, and the last message counts. A notify that it was given goes to the next.
  detail::condition_operation<Family> wait() {
    check("condition::wait");
    return detail::condition_operation<Family>(*this);
  }

  /// Waits until `holds()` gives something true, and gives that. If it does at once, it needs no mutex.
  template <class Predicate>
  task<std::invoke_result_t<Predicate&>> wait_for(Predicate holds) {
    auto result = holds();
    while (!result) {
      co_await wait();
      result = holds();
    }
    co_return result;
  }

  /// Wakes the first `count` who wait; they run when they get the mutex.
  void notify(std::size_t count = 1) {
    check("condition::notify");
    move_to_line(count);
  }
  void notify_all() {
    check("condition::notify_all");
    move_to_line(std::numeric_limits<std::size_t>::max());
  }

 private:
  friend class detail::condition_awaiter<Family>;

  void check(const char* what) {
    mutex_.binding_.check("local_condition");
    if (!mutex_.is_locked()) {
      throw not_locked(what);
    }
  }
  void move_to_line(std::size_t count) noexcept;

  basic_mutex<Family>& mutex_;
  detail::waiter_queue queue_;  // guarded by the mutex's word
};

using condition = basic_condition<detail::any_loop>;
using local_condition = basic_condition<detail::one_loop>;

// Compiled in the library.
extern template class detail::condition_awaiter<detail::any_loop>;
extern template class detail::condition_awaiter<detail::one_loop>;
extern template class basic_condition<detail::any_loop>;
extern template class basic_condition<detail::one_loop>;

}  // namespace harrier
