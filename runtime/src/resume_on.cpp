// SPDX-License-Identifier: Apache-2.0
#include <harrier/resume_on.hpp>

#include <harrier/detail/runtime_core.hpp>
#include <harrier/yield.hpp>

namespace harrier::detail {

const ready_operations resume_on_awaiter::operations_table =
    suspension::wait_table("resume_on", nullptr);
const ready_operations resume_anywhere_awaiter::operations_table =
    suspension::wait_table("resume_anywhere", nullptr);

bool resume_on_awaiter::publish() {
  worker_slot* from = this_slot();
  if (from == nullptr) {
    throw no_running_loop("resume_on");
  }
  runtime_core& core = from->core();
  core.check_worker(worker_, "resume_on");
  is_there_ = from->index() == worker_;
  if (!is_there_ && record->cancel_is_due()) {
    return false;
  }
  core.require_thread(worker_, "resume_on");
  set_placing(*record, task_record::bound);
  if (is_there_) {
    return false;
  }
  // On its way the task is as good as queued there, and so active: a canceller has nothing to take
  // back, and leaves a cancel that is due on arrival.
  core.send(*this, *record, worker_);
  return true;
}

bool resume_anywhere_awaiter::publish() noexcept {
  // relaxed: as in set_placing()
  record->state.fetch_and(~task_record::bound, std::memory_order_relaxed);
  return yield_turn(*this);
}

}  // namespace harrier::detail
