// SPDX-License-Identifier: Apache-2.0
#include <harrier/yield.hpp>

#include <harrier/event_loop.hpp>

namespace harrier::detail {

const ready_operations yield_awaiter::operations_table = suspension::wait_table("yield", nullptr);

bool yield_turn(suspension& node) noexcept {
  if (node.record->cancel_is_due()) {
    return false;
  }
  // Ready at once, so there is no wait that a canceller could end: it finds the record active.
  here()->loop->enqueue(node);
  return true;
}

bool yield_awaiter::publish() noexcept { return yield_turn(*this); }

}  // namespace harrier::detail
