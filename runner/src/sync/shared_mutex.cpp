// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/shared_mutex.hpp>

#include <harrier/detail/wait_facts.hpp>

#include <string>

namespace harrier {

template <class Family>
std::uint64_t basic_shared_mutex<Family>::admit(std::uint64_t now,
                                                detail::waiter_queue& woken) noexcept {
  while (!line_.queue().empty()) {
    const auto& first = static_cast<detail::shared_lock_awaiter<Family>&>(*line_.queue().front());
    const detail::next_value next = take(now, first.mode_);
    if (!next) {
      break;
    }
    now = *next;
    line_.queue().hand_front(woken, detail::wait_outcome::granted);
  }
  return now;
}

template <class Family>
void basic_shared_mutex<Family>::unlock_slowly(lock_mode mode) noexcept {
  detail::waiter_queue woken;
  const std::uint64_t now = after_unlock(line_.enter(), mode);
  line_.leave(admit(now, woken));
  detail::wake_waiters(woken);
}

namespace detail {

template <class Family>
bool shared_lock_awaiter<Family>::publish() noexcept {
  const wait_start how = mutex_.line_.take_or_wait(
      *this,
      [mode = mode_](std::uint64_t now) { return basic_shared_mutex<Family>::take(now, mode); },
      [this] { return begin_wait(); });
  if (how == wait_start::taken) {
    note_writer();
  }
  return suspended(how);
}

template <class Family>
withdrawal shared_lock_awaiter<Family>::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<shared_lock_awaiter&>(node);
  basic_shared_mutex<Family>& mutex = self.mutex_;
  waiter_queue woken;
  const std::uint64_t now = mutex.line_.enter();
  if (self.outcome != wait_outcome::queued) {
    mutex.line_.leave(now);
    return withdrawal::too_late;
  }
  mutex.line_.queue().remove(self, wait_outcome::withdrawn);
  // Readers behind a writer that gives up join those who are in.
  mutex.line_.leave(mutex.admit(now, woken));
  wake_waiters(woken);
  return withdrawal::taken;
}

template <class Family>
void shared_lock_awaiter<Family>::tell(const ready_node& node, wait_facts& facts) {
  const basic_shared_mutex<Family>& mutex = static_cast<const shared_lock_awaiter&>(node).mutex_;
  facts.object = &mutex;
  if (const std::uint64_t readers = mutex.readers(); readers != 0) {
    facts.more = std::to_string(readers) + (readers == 1 ? " reader is in" : " readers are in");
    return;
  }
  facts.is_held = true;
  if (const void* const writer = mutex.writer_.get()) {
    facts.on.push_back(writer);
  }
}

template <class Family>
void shared_lock_awaiter<Family>::give_back(ready_node& node) noexcept {
  auto& self = static_cast<shared_lock_awaiter&>(node);
  self.mutex_.unlock_held(self.mode_);
}

template <class Family>
const ready_operations shared_lock_awaiter<Family>::operations_table =
    suspension::wait_table("shared_mutex::lock", withdraw, tell, give_back);

template class shared_lock_awaiter<any_loop>;
template class shared_lock_awaiter<one_loop>;

}  // namespace detail

template class basic_shared_mutex<detail::any_loop>;
template class basic_shared_mutex<detail::one_loop>;

}  // namespace harrier
