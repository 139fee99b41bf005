// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/sync_waiter.hpp>

#include <harrier/detail/sync_family.hpp>
#include <harrier/sync/errors.hpp>

namespace harrier::detail {

void sync_waiter::throw_cancel() {
  record->take_cancel();
  record->throw_cancelled();
}

void wake_waiters(waiter_queue& woken) noexcept {
  waiter_node* node = woken.front();
  while (node != nullptr) {
    waiter_node* const behind = node->behind;  // read first: who is woken may be gone
    wake_waiter(*node);
    node = behind;
  }
}

void loop_binding::bind(const char* what) {
  if (loop_ != nullptr) {
    throw foreign_loop(what);
  }
  loop_ = here()->loop;
}

}  // namespace harrier::detail
