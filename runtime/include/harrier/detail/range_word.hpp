// SPDX-License-Identifier: Apache-2.0
// The unstarted items of one slot in one batch: two positions in one word.
//
// Threads     the owner takes from the front and gives back; any thread steals from the back.
// Invariant 1 a position is in at most one range word of its batch, so a word that reads the same
//             twice means the same unstarted items: there is no ABA.
// Invariant 2 only the owner installs into an empty word.
// Orders      install() releases, whoever takes positions acquires. All that happens to a word between
//             two installs is an exchange, and exchanges carry a release on without one of their own
//             (the release sequence): so a steal sees what the dispatcher wrote, even if the owner
//             was at the word in between.
#pragma once

#include <atomic>
#include <cstdint>

namespace harrier::detail {

struct position_range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool empty() const noexcept { return first >= last; }
  std::uint32_t size() const noexcept { return empty() ? 0 : last - first; }
};

class range_word {
 public:
  /// Owner, while empty.
  void install(position_range range) noexcept {
    // release: what the items need is visible to whoever takes them  [range:install]
    word_.store(pack(range), std::memory_order_release);
  }

  /// Owner. At most `most` positions from the front.
  position_range take_front(std::uint32_t most) noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);  // hint: re-checked by the exchange
    for (;;) {
      const position_range range = unpack(now);
      if (range.empty()) {
        return {};
      }
      const std::uint32_t middle = range.first + (range.size() < most ? range.size() : most);
      // acquire: whoever filled the word may have been a dispatcher  [range:install]
      if (word_.compare_exchange_weak(now, pack({middle, range.last}), std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return {range.first, middle};
      }
    }
  }

  /// Owner. Returns what it took last and did not start.
  void give_back(position_range rest) noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);  // hint: re-checked by the exchange
    position_range joined;
    do {
      const position_range range = unpack(now);
      joined = {rest.first, range.empty() ? rest.last : range.last};
      // relaxed: nothing was written for these items since they were installed
    } while (!word_.compare_exchange_weak(now, pack(joined), std::memory_order_relaxed,
                                          std::memory_order_relaxed));
  }

  /// Any thread. The far half, or all of a single position.
  position_range steal_half() noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);  // hint: re-checked by the exchange
    for (;;) {
      const position_range range = unpack(now);
      if (range.empty()) {
        return {};
      }
      const std::uint32_t middle = range.last - (range.size() + 1) / 2;
      // acquire: what the items need  [range:install]
      if (word_.compare_exchange_weak(now, pack({range.first, middle}), std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return {middle, range.last};
      }
    }
  }

  /// Any thread. Everything that is left.
  position_range take_all() noexcept {
    return unpack(word_.exchange(0, std::memory_order_acquire));  // [range:install]
  }

  bool empty() const noexcept { return size() == 0; }
  std::uint32_t size() const noexcept {
    // relaxed: a hint; the sleeper's second look has its barrier before it  [idle:hungry]
    return unpack(word_.load(std::memory_order_relaxed)).size();
  }

 private:
  static std::uint64_t pack(position_range range) noexcept {
    return static_cast<std::uint64_t>(range.first) << 32 | range.last;
  }
  static position_range unpack(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
  }

  std::atomic<std::uint64_t> word_{0};
};

}  // namespace harrier::detail
