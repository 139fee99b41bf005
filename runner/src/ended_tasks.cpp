// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/ended_tasks.hpp>

#include <harrier/detail/promise.hpp>
#include <harrier/detail/spin_wait.hpp>
#include <harrier/detail/wait_facts.hpp>

#include <mutex>
#include <utility>

namespace harrier::detail {

void ended_tasks::awaiter::tell(const ready_node& node, wait_facts& facts) {
  const auto& self = static_cast<const awaiter&>(node);
  const bool for_all = self.count_ == self.owner_.tasks_.size() && !self.or_error_;
  facts.needs = for_all ? wait_needs::all : wait_needs::any;
  for (const task_ref& each : self.owner_.tasks_) {
    if (!each.done()) {
      facts.on.push_back(&task_ref_access::record(each));
    }
  }
}

const ready_operations ended_tasks::awaiter::operations_table =
    suspension::wait_table("a wait for tasks", withdraw, tell);

ended_tasks::ended_tasks(std::vector<task_ref> tasks)
    : tasks_(std::move(tasks)), watches_(std::make_unique<watch[]>(tasks_.size())) {
  order_.reserve(tasks_.size());
  for (const task_ref& each : tasks_) {
    (void)task_ref_access::record(each);  // refuses an empty one before any is watched
  }
  for (std::size_t index = 0; index < tasks_.size(); ++index) {
    task_record& record = task_ref_access::record(tasks_[index]);
    watches_[index].owner = this;
    watches_[index].index = index;
    if (!record.join(watches_[index])) {
      told(watches_[index], record);
    }
  }
}

ended_tasks::~ended_tasks() {
  for (std::size_t index = 0; index < tasks_.size(); ++index) {
    watch& each = watches_[index];
    const std::atomic<bool>& is_over = each.is_over;
    if (!is_over.load(std::memory_order_acquire) &&  // [ended_tasks:over]
        !task_ref_access::record(tasks_[index]).unjoin(each)) {
      for (unsigned spins = 0; !is_over.load(std::memory_order_acquire); ++spins) {
        spin_wait(spins);  // [ended_tasks:over]
      }
    }
  }
}

void ended_tasks::told(completion& self, task_record& ended) noexcept {
  auto& mine = static_cast<watch&>(self);
  ended_tasks& owner = *mine.owner;
  awaiter* waiter = nullptr;
  {
    const bool failed = !ended.ended_cancelled() && ended.root->result == result_kind::error &&
                        !is_cancel(ended.root->error);
    const std::scoped_lock guard(owner.mutex_);
    owner.order_.push_back(mine.index);  // there is room
    owner.error_seen_ |= failed;
    if (owner.waiter_ != nullptr &&
        owner.has_held(owner.waiter_->count_, owner.waiter_->or_error_)) {
      waiter = std::exchange(owner.waiter_, nullptr);
    }
  }
  if (waiter != nullptr) {
    wake(*waiter);
  }
  // release: pairs with the acquire in the destructor, which waits for it  [ended_tasks:over]
  mine.is_over.store(true, std::memory_order_release);
}

bool ended_tasks::has(std::size_t count, bool or_error) const noexcept {
  const std::scoped_lock guard(mutex_);
  return has_held(count, or_error);
}

std::size_t ended_tasks::nth(std::size_t n) const noexcept {
  const std::scoped_lock guard(mutex_);
  return order_[n];
}

bool ended_tasks::awaiter::publish() noexcept {
  if (!begin_wait()) {
    return false;
  }
  {
    const std::scoped_lock guard(owner_.mutex_);
    if (!owner_.has_held(count_, or_error_)) {
      owner_.waiter_ = this;
      return true;  // once the lock is open, another thread may resume the coroutine
    }
  }
  return !abandon_wait();
}

withdrawal ended_tasks::awaiter::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<awaiter&>(node);
  const std::scoped_lock guard(self.owner_.mutex_);
  if (self.owner_.waiter_ != &self) {
    return withdrawal::too_late;
  }
  self.owner_.waiter_ = nullptr;
  return withdrawal::taken;
}

}  // namespace harrier::detail
