// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/owned_mutex.hpp>

namespace harrier::detail {

void owned_mutex::step_back(std::uint64_t request) noexcept {
  // release: who sees us step back has not seen the unlock() before  [owned_mutex:inside]
  inside_.store(false, std::memory_order_release);  // steps back
  // release: who asked sees what we did inside  [owned_mutex:answer]
  answered_.store(request, std::memory_order_release);
  // relaxed: a hint; lock_as_owner() looks again, and acquires
  for (unsigned spins = 0; wanted_.load(std::memory_order_relaxed) == request; ++spins) {
    spin_wait(spins);
  }
  store_before_loads(inside_, true);
}

/// Under others_: says that somebody wants to be inside.
std::uint64_t owned_mutex::request() noexcept {
  ++requests_;
  wanted_.store(requests_, std::memory_order_seq_cst);  // [owned_mutex:wanted]
  return requests_;
}

/// The owner, unless it has seen the request, finishes what it does inside.
void owned_mutex::keep_out() noexcept {
  heavy_barrier();
  // acquire: pairs with the release of the owner that leaves. seq_cst: where the barrier is made of
  // exchanges, the look comes after the store before it  [owned_mutex:inside]
  for (unsigned spins = 0; inside_.load(std::memory_order_seq_cst); ++spins) {
    spin_wait(spins);  // the owner may have been preempted
  }
}

void owned_mutex::lock_as_other() noexcept {
  others_.lock();
  if (owner_ != nullptr) {
    request();
    keep_out();
  }
}

void owned_mutex::lock_by_asking(unsigned times) noexcept {
  others_.lock();
  if (owner_ == nullptr) {
    return;
  }
  const std::uint64_t mine = request();
  for (; times != 0; --times) {
    if (answered_.load(std::memory_order_acquire) == mine) {  // [owned_mutex:answer]
      return;
    }
    pause_processor();
  }
  keep_out();
}

}  // namespace harrier::detail
