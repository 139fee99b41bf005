// SPDX-License-Identifier: Apache-2.0
#include <harrier/join_handle.hpp>

#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/wait_facts.hpp>

namespace harrier::detail {

void join_suspension::tell(const ready_node& node, wait_facts& facts) {
  facts.on.push_back(static_cast<const join_suspension&>(node).target_);
}

const ready_operations join_suspension::operations_table =
    suspension::wait_table("a task", withdraw, tell);

const ready_operations join_suspension::shielded_table =
    suspension::wait_table("a task", withdraw_shielded, tell);

join_suspension::join_suspension(task_record& target, shielded_t) noexcept
    : suspension(shielded_table), completion(&join_suspension::told), target_(&target) {}

join_suspension::join_suspension(task_record& target) noexcept
    : suspension(operations_table), completion(&join_suspension::told), target_(&target) {}

bool join_suspension::publish() {
  if (record == target_) {
    throw self_await();
  }
  while (!begin_wait()) {
    // A cancel is due: it goes on to the task as one does that comes during the wait.
    if (operations == &shielded_table || target_->was_cancelled() ||
        !target_->cancel(record->cancel_message())) {
      return false;
    }
    record->take_cancel();
  }
  // Once joined, another thread may resume the coroutine: nothing here is touched afterwards.
  return target_->join(*this) || !abandon_wait();
}

withdrawal join_suspension::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<join_suspension&>(node);
  // The cancel goes on to the task that is waited for, whose end then resumes the waiter. Not a
  // second time: tasks that wait for each other would pass it round for ever.
  if (!self.target_->was_cancelled()) {
    return self.target_->cancel(self.record->cancel_message()) ? withdrawal::passed_on
                                                               : withdrawal::too_late;
  }
  return self.target_->unjoin(self) ? withdrawal::taken : withdrawal::too_late;
}

withdrawal join_suspension::withdraw_shielded(ready_node& node) noexcept {
  auto& self = static_cast<join_suspension&>(node);
  return self.target_->unjoin(self) ? withdrawal::taken : withdrawal::too_late;
}

void join_suspension::told(completion& self, task_record&) noexcept {
  wake(static_cast<join_suspension&>(self));
}

void wait_blocking(task_record& target, const char* call) {
  wait_blocking_until(target, time_point::max(), call);
}

bool wait_blocking_until(task_record& target, time_point deadline, const char* call) {
  blocking_wait::refuse_in_loop(call);
  class joiner final : public completion {
   public:
    joiner() noexcept
        : completion([](completion& self, task_record&) noexcept {
            static_cast<joiner&>(self).done.finish();
          }) {}
    blocking_wait done;
  } joiner;
  if (target.is_done() || !target.join(joiner) || joiner.done.wait_until(deadline)) {
    return true;
  }
  if (target.unjoin(joiner)) {
    return false;
  }
  joiner.done.wait();  // it has ended just now, and is about to tell us
  return true;
}

}  // namespace harrier::detail
