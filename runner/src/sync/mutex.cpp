// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/mutex.hpp>

namespace harrier {

template <class Family>
bool basic_mutex<Family>::pass_on() noexcept {
  const std::uint64_t now = line_.enter();
  if (now >= void_unlock) [[unlikely]] {
    line_.leave(now - void_unlock);
    return true;
  }
  detail::waiter_node* const next = line_.queue().pop_front(detail::wait_outcome::granted);
  line_.leave(next != nullptr ? held : free);
  if (next != nullptr) {
    detail::wake_waiter(*next);
  }
  return now == held;
}

template <class Family>
void basic_mutex<Family>::unlock() {
  binding_.check("local_mutex");
  owner_.clear();
  if (!line_.try_give(give) && !pass_on()) {
    throw not_locked("mutex::unlock");
  }
}

namespace detail {

template <class Family>
bool lock_awaiter<Family>::publish() noexcept {
  const wait_start how =
      mutex_.line_.take_or_wait(*this, basic_mutex<Family>::take, [this] { return begin_wait(); });
  if (how == wait_start::taken) {
    note_holder();
  }
  return suspended(how);
}

template <class Family>
withdrawal lock_awaiter<Family>::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<lock_awaiter&>(node);
  return self.mutex_.line_.withdraw(self) ? withdrawal::taken : withdrawal::too_late;
}

template <class Family>
void lock_awaiter<Family>::tell(const ready_node& node, wait_facts& facts) {
  const basic_mutex<Family>& mutex = static_cast<const lock_awaiter&>(node).mutex_;
  facts.object = &mutex;
  facts.is_held = true;
  if (const void* const holder = mutex.owner_.get()) {
    facts.on.push_back(holder);
  }
}

template <class Family>
void lock_awaiter<Family>::give_back(ready_node& node) noexcept {
  static_cast<lock_awaiter&>(node).mutex_.unlock_held();
}

template <class Family>
const ready_operations lock_awaiter<Family>::operations_table =
    suspension::wait_table("mutex::lock", withdraw, tell, give_back);

template class lock_awaiter<any_loop>;
template class lock_awaiter<one_loop>;

}  // namespace detail

template class basic_mutex<detail::any_loop>;
template class basic_mutex<detail::one_loop>;

}  // namespace harrier
