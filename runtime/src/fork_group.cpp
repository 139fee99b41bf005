// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/fork_group.hpp>

#include <harrier/cancellation.hpp>

namespace harrier::detail {

bool fork_group::keep(std::exception_ptr error) noexcept {
  // acq_rel: pairs with has_failed()  [fork_group:failed]; the error itself is read after the joins
  if (failed_.exchange(true, std::memory_order_acq_rel)) {
    return false;
  }
  error_ = std::move(error);
  return true;
}

void fork_group::child_failed(child_group& self, promise_base& child) noexcept {
  auto& group = static_cast<fork_group&>(self);
  if (group.keep(child.error)) {
    group.cancel_.fire();
  }
}

void fork_group::finish() {
  cancel_.leave();
  has_left_ = true;
  if (error_ != nullptr) {
    if (!is_cancel(error_)) {
      cancel_.rearm();  // the error is thrown, and a cancel from outside at the next suspension
    }
    std::rethrow_exception(error_);
  }
}

}  // namespace harrier::detail
