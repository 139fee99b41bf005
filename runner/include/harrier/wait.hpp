// SPDX-License-Identifier: Apache-2.0
// Waiting for tasks without becoming part of their fate: wait(), as_completed(), shield().
#pragma once

#include <harrier/async_generator.hpp>
#include <harrier/clock.hpp>
#include <harrier/detail/ended_tasks.hpp>
#include <harrier/join_handle.hpp>
#include <harrier/task.hpp>
#include <harrier/task_ref.hpp>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier {

/// What wait() waits for.
enum class wait_until {
  first_done,  ///< one has ended
  first_error,  ///< one has failed; a cancel is no failure; else all have ended
  all_done,
};

/// Which tasks had ended when wait() came back, and which had not: their places in the range.
class wait_result {
 public:
  wait_result() noexcept = default;
  std::vector<std::size_t> done;
  std::vector<std::size_t> pending;
};

namespace detail {

template <class T>
inline constexpr bool is_join_handle = false;
template <class T>
inline constexpr bool is_join_handle<join_handle<T>> = true;

template <class Range>
concept range_of_handles =
    std::ranges::input_range<Range> &&
    is_join_handle<std::remove_cvref_t<std::ranges::range_reference_t<Range>>>;

/// A handle: no task goes into or out of the binary by value (HARRIER_IN_REGISTERS).
HARRIER_EXPORT std::coroutine_handle<task_promise<wait_result>> wait_for_tasks(
    std::vector<task_ref> tasks, wait_until until, std::optional<duration> limit);

template <range_of_handles Range>
std::vector<task_ref> refs_of(Range&& handles) {
  std::vector<task_ref> refs;
  for (const auto& each : handles) {
    refs.push_back(each.ref());
  }
  return refs;
}

}  // namespace detail

/// Waits for some of the tasks, or for at most `limit`, and says which have ended. The tasks go on, and
/// keep their results and errors: nothing of them is thrown. Of handles only: of an unstarted task nobody
/// could ask for the result afterwards, and what a task_ref refers to may be an item of a batch.
///
/// Errors   std::invalid_argument for no tasks, invalid_task; both at the call.
/// Cancel   ends the wait; the tasks are left alone.
/// Cost     O(tasks), two allocations.
template <detail::range_of_handles Range>
task<wait_result> wait(Range&& handles, wait_until until = wait_until::all_done,
                       std::optional<duration> limit = std::nullopt) {
  return detail::task_access::adopt<wait_result>(
      detail::wait_for_tasks(detail::refs_of(handles), until, limit));
}

namespace detail {

template <class T>
async_generator<join_handle<T>&> in_order_of_end(std::vector<join_handle<T>>* handles) {
  ended_tasks watched(refs_of(*handles));
  for (std::size_t n = 0; n < watched.size(); ++n) {
    auto one_more = watched.until(n + 1);
    co_await one_more;
    co_yield (*handles)[watched.nth(n)];
  }
}

}  // namespace detail

/// Gives the handles in the order in which their tasks end: `auto ended = as_completed(handles);` and then
/// `join_handle<T>* next = co_await ended.next();` until that is null. The tasks are left alone,
/// whatever becomes of the generator.
///
/// Lifetime  `handles` outlives the generator, and keeps its elements where they are.
/// Cancel    ends the wait for the next; the tasks are left alone.
template <class T>
async_generator<join_handle<T>&> as_completed(std::vector<join_handle<T>>& handles) {
  return detail::in_order_of_end(&handles);
}

namespace detail {

/// A join whose cancel does not go on to the task.
template <class T>
class [[nodiscard]] shield_awaiter final : public join_suspension {
 public:
  explicit shield_awaiter(task_record& target) noexcept : join_suspension(target, shielded) {}

  T await_resume() {
    deliver_cancel();
    return take_result<T>(*target_);
  }
};

template <class T>
class [[nodiscard]] shield_operation {
 public:
  using harrier_native = void;
  explicit shield_operation(task_ref inner) noexcept : inner_(std::move(inner)) {}
  shield_awaiter<T> operator co_await() const {
    return shield_awaiter<T>(task_ref_access::record(inner_));
  }

 private:
  task_ref inner_;
};

}  // namespace detail

/// Awaits a task, but does not pass a cancel on to it: the waiter sees `cancelled`, the task goes on.
/// A cancel of the task itself comes out as always.
///
/// Lifetime  the loop owns the task; an error that nobody takes any more is reported, as always.
template <class T>
detail::shield_operation<T> shield(const join_handle<T>& inner) {
  return detail::shield_operation<T>(inner.ref());
}

/// The same for a task that is spawned for it.
template <class T>
detail::shield_operation<T> shield(task<T> inner) {
  return detail::shield_operation<T>(spawn(std::move(inner)).ref());
}

}  // namespace harrier
