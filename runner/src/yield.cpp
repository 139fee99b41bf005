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

bool yield_with_record(suspension& node, promise_base& of) {
  const execution* at = here();
  if (at == nullptr || at->loop == nullptr) [[unlikely]] {
    throw no_running_loop("yield");
  }
  node.record = &of.record();
  return yield_turn(node);
}

bool yield_awaiter::publish(promise_base& of) {
  promise_base& root = of.chain_root();
  if (record_source* source = root.source()) {
    return source->give_way(*source, *this, root, of);
  }
  return yield_with_record(*this, of);
}

}  // namespace harrier::detail
