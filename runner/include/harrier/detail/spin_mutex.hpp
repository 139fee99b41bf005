// SPDX-License-Identifier: Apache-2.0
// A one-byte lock for sections of a few instructions that are almost never contended.
//
// Rejected    std::mutex: 40 bytes and two calls; the lists it would guard are touched by one
//             thread in nearly every case. A pure spin lock: on a machine with fewer cores than
//             threads the holder may be preempted, so a waiter gives its time slice away after a
//             short spin.
#pragma once

#include <harrier/detail/spin_wait.hpp>

#include <atomic>

namespace harrier::detail {

class spin_mutex {
 public:
  constexpr spin_mutex() noexcept = default;
  spin_mutex(const spin_mutex&) = delete;
  spin_mutex& operator=(const spin_mutex&) = delete;

  void lock() noexcept {
    // acquire: pairs with the release in unlock()  [spin_mutex:held]
    for (unsigned spins = 0; held_.exchange(true, std::memory_order_acquire); ++spins) {
      spin_wait(spins);
    }
  }

  void unlock() noexcept {
    held_.store(false, std::memory_order_release);  // [spin_mutex:held] pairs with lock()
  }

 private:
  std::atomic<bool> held_{false};
};

}  // namespace harrier::detail
