// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/event.hpp>

namespace harrier {

template <class Family>
void basic_event<Family>::set() {
  binding_.check("local_event");
  if (line_.try_give([](std::uint64_t) { return detail::next_value(raised); })) {
    return;
  }
  detail::waiter_queue woken;
  line_.enter();
  line_.queue().hand_all(woken, detail::wait_outcome::granted);
  line_.leave(raised);
  detail::wake_waiters(woken);
}

template <class Family>
void basic_event<Family>::clear() {
  binding_.check("local_event");
  if (!line_.try_take([](std::uint64_t) { return detail::next_value(lowered); })) {
    line_.enter();
    line_.leave(lowered);
  }
}

template <class Family>
void basic_auto_reset_event<Family>::raise() noexcept {
  if (line_.try_give([](std::uint64_t) { return detail::next_value(raised); })) {
    return;
  }
  const std::uint64_t now = line_.enter();
  detail::waiter_node* const next = line_.queue().pop_front(detail::wait_outcome::granted);
  line_.leave(next != nullptr ? now : raised);
  if (next != nullptr) {
    detail::wake_waiter(*next);
  }
}

template class basic_event<detail::any_loop>;
template class basic_event<detail::one_loop>;
template class basic_auto_reset_event<detail::any_loop>;
template class basic_auto_reset_event<detail::one_loop>;

}  // namespace harrier
