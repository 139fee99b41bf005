// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/latch.hpp>

namespace harrier::detail {

namespace {

std::uint64_t checked(std::ptrdiff_t count) {
  if (count < 0) {
    throw invalid_count("a count of a latch or wait group is negative");
  }
  return static_cast<std::uint64_t>(count);
}

}  // namespace

template <class Family>
countdown<Family>::countdown(std::ptrdiff_t count) : line_(checked(count)) {}

template <class Family>
void countdown<Family>::add_count(std::ptrdiff_t by) {
  binding_.check("a local latch or wait group");
  const std::uint64_t more = checked(by);
  if (!line_.try_give([more](std::uint64_t now) { return next_value(now + more); })) {
    const std::uint64_t now = line_.enter();
    line_.leave(now + more);
  }
}

template <class Family>
void countdown<Family>::subtract(std::ptrdiff_t by) {
  binding_.check("a local latch or wait group");
  const std::uint64_t less = checked(by);
  if (line_.try_give([less](std::uint64_t now) {
        return now >= less ? next_value(now - less) : next_value::none();
      })) {
    return;
  }
  waiter_queue woken;
  const std::uint64_t now = line_.enter();
  if (now < less) {
    line_.leave(now);
    throw too_many_releases("a latch or wait group was counted down below 0");
  }
  if (now == less) {
    line_.queue().hand_all(woken, wait_outcome::granted);
  }
  line_.leave(now - less);
  wake_waiters(woken);
}

template class countdown<any_loop>;
template class countdown<one_loop>;

}  // namespace harrier::detail
