// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/semaphore.hpp>

namespace harrier {

template <class Family>
void basic_semaphore<Family>::release_slowly(std::ptrdiff_t units) {
  if (units < 0) {
    throw invalid_count("a semaphore takes back no negative number of units");
  }
  const auto wanted = static_cast<std::uint64_t>(units);
  const std::uint64_t now = line_.enter();
  if (wanted > most_ - now) {
    line_.leave(now);
    throw too_many_releases("a semaphore was released more often than it was acquired");
  }
  hand_out(now, wanted);
}

template <class Family>
void basic_semaphore<Family>::hand_out(std::uint64_t now, std::uint64_t units) noexcept {
  detail::waiter_queue woken;
  for (; units != 0 && !line_.queue().empty(); --units) {
    line_.queue().hand_front(woken, detail::wait_outcome::granted);
  }
  line_.leave(now + units);
  detail::wake_waiters(woken);
}

namespace detail {

template <class Family>
bool acquire_suspension<Family>::publish() noexcept {
  return this->suspended(from_.line_.take_or_wait(*this, basic_semaphore<Family>::take,
                                                  [this] { return this->begin_wait(); }));
}

template <class Family>
withdrawal acquire_suspension<Family>::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<acquire_suspension&>(node);
  return self.from_.line_.withdraw(self) ? withdrawal::taken : withdrawal::too_late;
}

template <class Family>
void acquire_suspension<Family>::tell(const ready_node& node, wait_facts& facts) {
  facts.object = &static_cast<const acquire_suspension&>(node).from_;
}

template <class Family>
void acquire_suspension<Family>::give_back(ready_node& node) noexcept {
  static_cast<acquire_suspension&>(node).from_.give_back();
}

template <class Family>
const ready_operations acquire_suspension<Family>::operations_table =
    suspension::wait_table("semaphore::acquire", withdraw, tell, give_back);

template class acquire_suspension<any_loop>;
template class acquire_suspension<one_loop>;

}  // namespace detail

template class basic_semaphore<detail::any_loop>;
template class basic_semaphore<detail::one_loop>;

}  // namespace harrier
