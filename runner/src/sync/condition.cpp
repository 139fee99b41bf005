// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/condition.hpp>

namespace harrier {

template <class Family>
void basic_condition<Family>::move_to_line(std::size_t count) noexcept {
  const std::uint64_t now = mutex_.line_.enter();
  for (; count != 0 && !queue_.empty(); --count) {
    auto& first = static_cast<detail::condition_awaiter<Family>&>(*queue_.front());
    first.is_in_line_ = true;
    first.is_notified_ = true;
    queue_.hand_front(mutex_.line_.queue(), detail::wait_outcome::queued);
  }
  mutex_.line_.leave(now);
}

namespace detail {

template <class Family>
bool condition_awaiter<Family>::publish() noexcept {
  using mutex_of = basic_mutex<Family>;
  mutex_of& owned = condition_.mutex_;
  const std::uint64_t now = owned.line_.enter();
  if (!begin_wait()) {
    outcome = wait_outcome::withdrawn;  // still locked, and thrown at once
    owned.line_.leave(now);
    return false;
  }
  owned.owner_.clear();
  condition_.queue_.push_back(*this);
  waiter_node* const heir = owned.line_.queue().pop_front(wait_outcome::granted);
  owned.line_.leave(heir != nullptr ? now : now & ~mutex_of::held);
  if (heir != nullptr) {
    wake_waiter(*heir);
  }
  return true;
}

template <class Family>
void condition_awaiter<Family>::await_resume() {
  condition_.mutex_.owner_.set(asker_);
  if (outcome == wait_outcome::withdrawn) {
    throw_cancel();
  }
  if (is_cancelled_ || record->cancel_is_due()) {
    if (is_notified_) {
      condition_.move_to_line(1);
    }
    throw_cancel();
  }
}

template <class Family>
withdrawal condition_awaiter<Family>::withdraw(ready_node& node) noexcept {
  using mutex_of = basic_mutex<Family>;
  auto& self = static_cast<condition_awaiter&>(node);
  auto& line = self.condition_.mutex_.line_;
  const std::uint64_t now = line.enter();
  if (self.outcome != wait_outcome::queued) {
    line.leave(now);
    return withdrawal::too_late;
  }
  self.is_cancelled_ = true;
  if (!self.is_in_line_) {
    self.condition_.queue_.remove(self, wait_outcome::granted);
    if ((now & mutex_of::held) == 0) {
      line.leave(now | mutex_of::held);
      return withdrawal::taken;
    }
    self.is_in_line_ = true;
    line.queue().push_back(self);
  }
  line.leave(now);
  return withdrawal::passed_on;  // it throws when it has got the mutex
}

template <class Family>
void condition_awaiter<Family>::leave_line() noexcept {
  auto& line = condition_.mutex_.line_;
  const std::uint64_t now = line.enter();
  (is_in_line_ ? line.queue() : condition_.queue_).remove(*this, wait_outcome::withdrawn);
  line.leave(now + basic_mutex<Family>::void_unlock);
}

template <class Family>
void condition_awaiter<Family>::tell(const ready_node& node, wait_facts& facts) {
  facts.object = &static_cast<const condition_awaiter&>(node).condition_;
}

template <class Family>
const ready_operations condition_awaiter<Family>::operations_table =
    suspension::wait_table("condition::wait", withdraw, tell);

template class condition_awaiter<any_loop>;
template class condition_awaiter<one_loop>;

}  // namespace detail

template class basic_condition<detail::any_loop>;
template class basic_condition<detail::one_loop>;

}  // namespace harrier
