// SPDX-License-Identifier: Apache-2.0
// The word of a primitive: its value, whether somebody waits, and the lock of its waiters, in one.
//
// Threads     any thread; plain_sync_word is the same for one thread, without atomics.
// Protocol    bit 0  busy     somebody is inside: reads and writes value and waiters as he likes
//             bit 1  waiting  the queue of waiters is not empty
//             rest   value    what the primitive makes of it: units, a flag, a holder
//             A change that concerns no waiter is one exchange of a word with neither bit. All else
//             enters, and leaves by one store, which is the last access: whoever sees its value may
//             destroy the primitive.
// Invariant   while busy nobody but the one inside changes the word.
// Rejected    a lock beside the word: whoever sees the new value could destroy the primitive before
//             the lock is released.
#pragma once

#include <harrier/detail/spin_wait.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

namespace sync_bits {
inline constexpr std::uint64_t busy = 1;
inline constexpr std::uint64_t waiting = 2;
inline constexpr unsigned shift = 2;
}  // namespace sync_bits

/// What a change makes of a value: the next one, or no change.
class next_value {
 public:
  constexpr next_value(std::uint64_t value) noexcept : value_(value), exists_(true) {}
  static constexpr next_value none() noexcept { return next_value(); }
  constexpr explicit operator bool() const noexcept { return exists_; }
  constexpr std::uint64_t operator*() const noexcept { return value_; }

 private:
  constexpr next_value() noexcept = default;
  std::uint64_t value_ = 0;
  bool exists_ = false;
};

class atomic_sync_word {
 public:
  explicit atomic_sync_word(std::uint64_t value) noexcept : word_(value << sync_bits::shift) {}
  atomic_sync_word(const atomic_sync_word&) = delete;
  atomic_sync_word& operator=(const atomic_sync_word&) = delete;

  std::uint64_t value() const noexcept {
    // acquire: pairs with whoever changed the value  [sync_word:value]
    return word_.load(std::memory_order_acquire) >> sync_bits::shift;
  }
  bool has_waiters() const noexcept {
    return (word_.load(std::memory_order_relaxed) & sync_bits::waiting) != 0;  // hint
  }

  /// Takes something away from others, unless somebody waits or is inside. False: enter() instead.
  template <class Change>
  bool try_take(Change change) noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);  // hint: re-checked by the exchange
    while ((now & (sync_bits::busy | sync_bits::waiting)) == 0) {
      const next_value next = change(now >> sync_bits::shift);
      if (!next) {
        return false;
      }
      // acquire: what was done before the value was given is visible  [sync_word:value]
      if (word_.compare_exchange_weak(now, *next << sync_bits::shift, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  /// Gives something to others, unless somebody waits or is inside. False: enter() instead.
  template <class Change>
  bool try_give(Change change) noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);  // hint: re-checked by the exchange
    while ((now & (sync_bits::busy | sync_bits::waiting)) == 0) {
      const next_value next = change(now >> sync_bits::shift);
      if (!next) {
        return false;
      }
      // release: pairs with the acquire of whoever takes it, or enters  [sync_word:value]
      if (word_.compare_exchange_weak(now, *next << sync_bits::shift, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  /// Shuts the others out and gives the value.
  std::uint64_t enter() noexcept {
    for (unsigned spins = 0;; ++spins) {
      std::uint64_t now = word_.load(std::memory_order_relaxed);  // hint: re-checked
      // acquire: pairs with leave() and try_give()  [sync_word:value]
      if ((now & sync_bits::busy) == 0 &&
          word_.compare_exchange_weak(now, now | sync_bits::busy, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return now >> sync_bits::shift;
      }
      spin_wait(spins);
    }
  }

  /// The last access of the one who is inside.
  void leave(std::uint64_t value, bool has_waiters) noexcept {
    // release: value and waiters are visible to the next one inside  [sync_word:value]
    word_.store((value << sync_bits::shift) | (has_waiters ? sync_bits::waiting : 0),
                std::memory_order_release);
  }

 private:
  std::atomic<std::uint64_t> word_;
};

/// One thread, so nobody else is ever inside.
class plain_sync_word {
 public:
  explicit plain_sync_word(std::uint64_t value) noexcept : value_(value) {}
  plain_sync_word(const plain_sync_word&) = delete;
  plain_sync_word& operator=(const plain_sync_word&) = delete;

  std::uint64_t value() const noexcept { return value_; }
  bool has_waiters() const noexcept { return has_waiters_; }

  template <class Change>
  bool try_take(Change change) noexcept {
    const next_value next = has_waiters_ ? next_value::none() : change(value_);
    if (next) {
      value_ = *next;
    }
    return static_cast<bool>(next);
  }
  template <class Change>
  bool try_give(Change change) noexcept {
    return try_take(change);
  }

  std::uint64_t enter() noexcept { return value_; }
  void leave(std::uint64_t value, bool has_waiters) noexcept {
    value_ = value;
    has_waiters_ = has_waiters;
  }

 private:
  std::uint64_t value_;
  bool has_waiters_ = false;
};

}  // namespace harrier::detail
