// SPDX-License-Identifier: Apache-2.0
#include <harrier/from_callback.hpp>

namespace harrier::detail {

namespace {

/// What meeting_ holds once the result is there.
suspension* const over = reinterpret_cast<suspension*>(1);

}  // namespace

void callback_state::settle() noexcept {
  // acq_rel: publishes the result, and sees the waiter's fields  [callback_state:meeting]
  suspension* waiter = meeting_.exchange(over, std::memory_order_acq_rel);
  if (waiter != nullptr) {
    wake(*waiter);
  }
}

bool callback_state::is_settled() const noexcept {
  return meeting_.load(std::memory_order_acquire) == over;  // [callback_state:meeting]
}

bool callback_state::wait_with(suspension& waiter) noexcept {
  suspension* expected = nullptr;
  // release: the waiter's fields are visible to settle(); acquire: a failure sees the result
  // [callback_state:meeting]
  return meeting_.compare_exchange_strong(expected, &waiter, std::memory_order_acq_rel,
                                          std::memory_order_acquire);
}

bool callback_state::withdraw(suspension& waiter) noexcept {
  suspension* expected = &waiter;
  // relaxed: nothing is published, and whoever comes first learns it from the loop of the wait
  return meeting_.compare_exchange_strong(expected, nullptr, std::memory_order_relaxed,
                                          std::memory_order_relaxed);
}

const ready_operations callback_suspension::operations_table =
    suspension::wait_table("from_callback", callback_suspension::withdraw);

bool callback_suspension::publish(callback_state& state) noexcept {
  state_ = &state;
  if (!begin_wait()) {
    return false;
  }
  // Once it waits there, another thread may resume the coroutine: nothing here is touched afterwards.
  return state.wait_with(*this) || !abandon_wait();
}

withdrawal callback_suspension::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<callback_suspension&>(node);
  return self.state_->withdraw(self) ? withdrawal::taken : withdrawal::too_late;
}

void break_promise(callback_state& state) noexcept {
  if (state.claim()) {
    try {
      throw broken_promise();
    } catch (...) {  // this one, or that there was no memory for it
      state.error = std::current_exception();
    }
    state.settle();
  }
}

}  // namespace harrier::detail
