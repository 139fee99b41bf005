// SPDX-License-Identifier: Apache-2.0
#include <harrier/wait.hpp>

#include <harrier/detail/quiet_child.hpp>
#include <harrier/timeout.hpp>

#include <stdexcept>

namespace harrier {

namespace {

/// `watched` outlives it: both are in one frame.
task<> until_ended(detail::ended_tasks* watched, wait_until until) {
  auto ends = watched->until(until == wait_until::first_done ? 1 : watched->size(),
                             until == wait_until::first_error);
  co_await ends;
}

task<wait_result> wait_for(std::vector<task_ref> tasks, wait_until until,
                           std::optional<duration> limit) {
  detail::ended_tasks watched(std::move(tasks));
  detail::quiet_child<void> child(until_ended(&watched, until));
  bool time_is_over = false;
  if (limit) {
    detail::timeout_timer timer;
    auto entering = detail::enter_timeout(timer, limit);
    co_await entering;
    co_await child;
    auto leaving = detail::take_timer_back(timer);
    co_await leaving;
    time_is_over = timer.leave() && child.was_cancelled();
  } else {
    co_await child;
  }
  if (!time_is_over) {
    child.take();
  }
  wait_result result;
  for (std::size_t index = 0; index < watched.size(); ++index) {
    (watched.at(index).done() ? result.done : result.pending).push_back(index);
  }
  co_return result;
}

}  // namespace

std::coroutine_handle<detail::task_promise<wait_result>> detail::wait_for_tasks(
    std::vector<task_ref> tasks, wait_until until, std::optional<duration> limit) {
  if (tasks.empty()) {
    throw std::invalid_argument("wait for no tasks");
  }
  task<wait_result> waits = wait_for(std::move(tasks), until, limit);
  return task_access::release(waits);
}

}  // namespace harrier
