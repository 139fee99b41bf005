// SPDX-License-Identifier: Apache-2.0
// A one-byte lock for sections of a few instructions that come one right after the other: whoever finds
// it taken looks again only after a while, in which the holder does a whole run of them.
//
// Each look takes the lock's line away from the holder, and with it all that the lock guards: up to
// 170 ns from core to core, for a section of a few (docs/design.md#channels).
//
// Rejected    spin_mutex: with two senders on two cores the line goes to and fro for every item.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/spin_wait.hpp>

#include <algorithm>
#include <atomic>

namespace harrier::detail {

class spaced_mutex {
 public:
  constexpr spaced_mutex() noexcept = default;
  spaced_mutex(const spaced_mutex&) = delete;
  spaced_mutex& operator=(const spaced_mutex&) = delete;

  void lock() noexcept {
    if (!try_take()) [[unlikely]] {
      lock_after_a_while();
    }
  }

  void unlock() noexcept {
    held_.store(false, std::memory_order_release);  // [spaced_mutex:held] pairs with try_take()
  }

 private:
  bool try_take() noexcept {
    // acquire: pairs with the release in unlock()  [spaced_mutex:held]
    return !held_.exchange(true, std::memory_order_acquire);
  }

  HARRIER_NOINLINE void lock_after_a_while() noexcept {
    constexpr unsigned most_pauses = 64;
    constexpr unsigned rounds_without_yield = 6;
    unsigned pauses = 16;
    unsigned round = 0;
    do {
      if (round++ < rounds_without_yield) {
        pause_processor_for(pauses);
        pauses = std::min(2 * pauses, most_pauses);
      } else {
        give_slice_away();  // the holder may have been preempted
      }
    } while (!try_take());
  }

  std::atomic<bool> held_{false};
};

}  // namespace harrier::detail
