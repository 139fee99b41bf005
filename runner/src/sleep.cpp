// SPDX-License-Identifier: Apache-2.0
#include <harrier/sleep.hpp>

#include <harrier/detail/wait_facts.hpp>
#include <harrier/event_loop.hpp>
#include <harrier/yield.hpp>

namespace harrier::detail {

void sleep_awaiter::tell(const ready_node& node, wait_facts& facts) {
  facts.due = time_point(static_cast<const sleep_awaiter&>(node).delay_);
}

const ready_operations sleep_awaiter::operations_table =
    suspension::wait_table("sleep", sleep_awaiter::withdraw, tell);

bool sleep_awaiter::publish() {
  event_loop& loop = *here()->loop;
  const bool relative = sequence == static_cast<std::uint32_t>(from::suspension);
  if (relative && delay_ <= duration::zero()) {
    return yield_turn(*this);
  }
  const time_point now = loop.now();
  const time_point deadline = relative ? deadline_after(now, delay_) : time_point(delay_);
  if (deadline <= now) {
    return yield_turn(*this);
  }
  delay_ = deadline.time_since_epoch();  // for tell()
  loop.timers().insert(*this, deadline);
  if (!begin_wait()) {
    loop.timers().remove(*this);
    return false;
  }
  return true;
}

withdrawal sleep_awaiter::withdraw(ready_node& node) noexcept {
  // The loop of the wait runs this, and nobody else wakes a timer.
  here()->loop->timers().remove(static_cast<sleep_awaiter&>(node));
  return withdrawal::taken;
}

}  // namespace harrier::detail
