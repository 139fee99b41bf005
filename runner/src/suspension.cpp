// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/suspension.hpp>

#include <harrier/detail/promise.hpp>
#include <harrier/event_loop.hpp>

namespace harrier::detail {

bool suspension::begin_wait() noexcept {
  record->wait = this;
  // relaxed: published by the exchange below
  record->home.store(here()->loop, std::memory_order_relaxed);
  std::uint32_t now = record->state.load(std::memory_order_relaxed);
  do {
    if ((now & task_record::due) != 0) {
      return false;
    }
    // release: publishes `wait` and `home` to a canceller  [record:state]
  } while (
      !record->state.compare_exchange_weak(now, task_record::with_phase(now, task_record::waiting),
                                           std::memory_order_release, std::memory_order_relaxed));
  return true;
}

bool suspension::abandon_wait() noexcept {
  std::uint32_t now = record->state.load(std::memory_order_relaxed);  // hint: re-checked
  do {
    if (task_record::phase_of(now) != task_record::waiting) {
      wake(*this);  // a canceller is on its way: end the wait as a waker would
      return false;
    }
    // acquire: who looked at the frames meanwhile (held_wait) has done so  [record:state]
  } while (
      !record->state.compare_exchange_weak(now, task_record::with_phase(now, task_record::active),
                                           std::memory_order_acquire, std::memory_order_relaxed));
  return true;
}

void suspension::run(ready_node& node, execution& at) {
  auto& self = static_cast<suspension&>(node);
  resume(at, self.waiter, self.record->context);
}

bool end_wait(suspension& node) noexcept {
  task_record& record = *node.record;
  // acquire, release: [record:state]; what the waker did is visible to the task that resumes
  std::uint32_t now = record.state.load(std::memory_order_relaxed);
  std::uint32_t next = 0;
  bool withdrawing = false;
  do {
    withdrawing = task_record::phase_of(now) == task_record::withdrawing;
    HARRIER_ASSERT(withdrawing || task_record::phase_of(now) == task_record::waiting ||
                   task_record::phase_of(now) == task_record::cancelling);
    next =
        withdrawing ? now | task_record::woken : task_record::with_phase(now, task_record::active);
    // acq_rel: as said above
  } while (!record.state.compare_exchange_weak(now, next, std::memory_order_acq_rel,
                                               std::memory_order_relaxed));
  return !withdrawing;
}

void wake(suspension& node) noexcept {
  event_loop& home =
      *node.record->home.load(std::memory_order_relaxed);  // stable while the record waits
  if (end_wait(node)) {
    home.enqueue(node);
  }
}

}  // namespace harrier::detail
