// SPDX-License-Identifier: Apache-2.0
// The place where one thread sleeps until another wakes it: a futex with an epoch.
//
// Threads     one thread at a time parks; any thread unparks.
// Protocol    sleeper: (p1) announce: set the sleeping bit  (p2) look again for work
//                      (p3) sleep while the word is as announced.
//             waker:   (w1) publish the work               (w2) read the word
//                      (w3) if the bit is set, advance the epoch, clear the bit, wake.
//             p1 and w1 are sequentially consistent read-modify-writes, p2 and w2 sequentially
//             consistent loads: at least one side sees the other.  [parker:asleep]
// Rejected    std::atomic::wait and std::counting_semaphore: open lost-wake reports in libstdc++
//             and libc++. A wake for every publication: one system call each even when nobody
//             sleeps.
#pragma once

#include <harrier/detail/config.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace harrier::detail {

/// Sleeps while `*word == expected`, at most until `deadline` on the steady clock.
HARRIER_EXPORT void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                               std::chrono::steady_clock::time_point deadline) noexcept;
HARRIER_EXPORT void futex_wake(const std::atomic<std::uint32_t>& word, int threads) noexcept;

class parker {
 public:
  parker() noexcept = default;
  parker(const parker&) = delete;
  parker& operator=(const parker&) = delete;

  /// Who is called when the sleeper is unparked, instead of a wake: nobody sleeps here in person.
  struct summons {
    explicit summons(void (*unparked)(summons& self) noexcept) noexcept : call(unparked) {}
    void (*call)(summons& self) noexcept;
  };
  /// Before anybody else can know the parker. `to` outlives it.
  void redirect(summons& to) noexcept { summons_ = &to; }

  /// p1. Returns the ticket for park().
  std::uint32_t announce() noexcept {
    return word_.fetch_or(sleeping, std::memory_order_seq_cst) | sleeping;  // [parker:asleep]
  }

  /// The sleeper found work after all, or was woken.
  void withdraw() noexcept {
    // relaxed: nobody learns of work through the word. Who misses some announces itself, and looks
    // once more, before it sleeps again.
    word_.fetch_and(~sleeping, std::memory_order_relaxed);
  }

  /// p3. Returns when unparked, at the deadline, or spuriously; then calls withdraw().
  void park(std::uint32_t ticket, std::chrono::steady_clock::time_point deadline) noexcept {
    futex_wait(word_, ticket, deadline);
    withdraw();
  }

  /// Whether nobody unparked since announce() gave the ticket.
  bool still_asleep(std::uint32_t ticket) const noexcept {
    return word_.load(std::memory_order_seq_cst) == ticket;
  }

  /// w2 and w3. True: a sleeper was woken. At most one waker pays for the system call.
  bool unpark() noexcept {
    summons* const instead = summons_;  // read first: whoever is woken may destroy the parker
    std::uint32_t word = word_.load(std::memory_order_seq_cst);  // [parker:asleep]
    while ((word & sleeping) != 0) {
      // relaxed: the load above has come after w1, and decides; whoever finds the bit gone leaves it
      // to a sleeper that announces itself again before it sleeps
      if (word_.compare_exchange_weak(word, (word + one_epoch) & ~sleeping,
                                      std::memory_order_relaxed, std::memory_order_relaxed)) {
        if (instead != nullptr) {
          instead->call(*instead);
        } else {
          futex_wake(word_, 1);
        }
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::uint32_t sleeping = 1;
  static constexpr std::uint32_t one_epoch = 2;

  std::atomic<std::uint32_t> word_{0};
  summons* summons_ = nullptr;  // constant once known to others
};

}  // namespace harrier::detail
