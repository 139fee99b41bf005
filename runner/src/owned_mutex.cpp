// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/owned_mutex.hpp>

namespace harrier::detail {

namespace {

/// Waits while `flag` is set: the thread that set it may have been preempted.
void wait_while(const std::atomic<bool>& flag) noexcept {
  // acquire: pairs with the release of whoever leaves; seq_cst: where the barrier is made of exchanges,
  // the look comes after the store before it  [owned_mutex:inside] [owned_mutex:wanted]
  for (unsigned spins = 0; flag.load(std::memory_order_seq_cst); ++spins) {
    spin_wait(spins);
  }
}

}  // namespace

void owned_mutex::step_back() noexcept {
  // release: who sees us step back has not seen the unlock() before  [owned_mutex:inside]
  inside_.store(false, std::memory_order_release);  // steps back
  wait_while(wanted_);
  store_before_loads(inside_, true);
}

void owned_mutex::lock_as_other() noexcept {
  others_.lock();
  if (owner_ != nullptr) {
    wanted_.store(true, std::memory_order_seq_cst);
    heavy_barrier();
    wait_while(inside_);
  }
}

}  // namespace harrier::detail
