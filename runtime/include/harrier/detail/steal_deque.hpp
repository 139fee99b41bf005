// SPDX-License-Identifier: Apache-2.0
// The forked children of one slot: a Chase-Lev deque of pointers.
//
// Threads     the owner pushes and pops at the bottom; any thread steals at the top.
// Invariant 1 top never decreases; bottom is written by the owner alone.
// Invariant 2 every pushed pointer comes out once, through pop or through one steal.
// Protocol    pop lowers bottom and then reads top; a thief reads top and then bottom. Between the
//             two stands an asymmetric barrier, which costs the owner nothing and the thief a
//             microsecond. One of the two sees the other, and the last pointer is decided by a
//             compare-and-swap of top.
// Rejected    a fence in pop: 18 ns on clang, and invisible to TSan. An exchange in pop: 3 ns of
//             the 12 that a fork and its join take (docs/design.md#asymmetric).
#pragma once

#include <harrier/detail/asymmetric_barrier.hpp>
#include <harrier/detail/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace harrier::detail {

/// The atomics of the shipped build; a model checker brings its own.
struct standard_atomics {
  template <class T>
  using atomic = std::atomic<T>;
  static constexpr auto relaxed = std::memory_order_relaxed;
  static constexpr auto acquire = std::memory_order_acquire;
  static constexpr auto release = std::memory_order_release;
  static constexpr auto seq_cst = std::memory_order_seq_cst;
  template <class T>
  static void store_before_loads(std::atomic<T>& at, T value) noexcept {
    detail::store_before_loads(at, value);
  }
  template <class T>
  static void plain_store_before_loads(std::atomic<T>& at, T value) noexcept {
    detail::plain_store_before_loads(at, value);
  }
  static bool stores_are_plain() noexcept { return detail::stores_are_plain(); }
  static void heavy_barrier() noexcept { detail::heavy_barrier(); }
};

template <class T, class Atomics = standard_atomics, std::size_t first_capacity = 256>
class steal_deque {
  template <class U>
  using atomic = typename Atomics::template atomic<U>;

 public:
  steal_deque() {
    top_.store(0, Atomics::relaxed);
    bottom_.store(0, Atomics::relaxed);
    ring_.store(nullptr, Atomics::relaxed);
  }
  steal_deque(const steal_deque&) = delete;
  steal_deque& operator=(const steal_deque&) = delete;

  /// Before the first push, by whoever makes the owner: the first items find room without memory.
  void make_first_room() {
    if (owned_.capacity() == 0) {
      make_room(0);
    }
  }

  /// Owner. Throws std::bad_alloc when it cannot grow, and then nothing has changed.
  void push(T* item) {
    const std::int64_t bottom = bottom_.load(Atomics::relaxed);  // owner only
    if (bottom - top_seen_ >= owned_.capacity()) {
      make_room(bottom);
    }
    append(item, bottom);
  }

  /// Owner. False: push() would have to look for room, or the owner's stores are not plain.
  bool push_quickly(T* item) noexcept {
    const std::int64_t bottom = bottom_.load(Atomics::relaxed);  // owner only
    if (bottom >= quick_below_) [[unlikely]] {
      return false;
    }
    append(item, bottom);
    return true;
  }

  /// Owner. The same for so many, of which `at(i)` gives each, the first as the oldest. Thieves see all
  /// of them or none.
  template <class At>
  bool push_all_quickly(std::size_t count, At at) noexcept {
    const std::int64_t bottom = bottom_.load(Atomics::relaxed);  // owner only
    const std::int64_t end = bottom + static_cast<std::int64_t>(count);
    if (end > quick_below_) [[unlikely]] {
      return false;
    }
    const ring at_end = owned_;  // kept at hand: for all that the compiler knows, at() changes it
    for (std::int64_t index = bottom; index != end; ++index) {
      // published by the release below
      at_end.slot(index).store(at(static_cast<std::size_t>(index - bottom)), Atomics::relaxed);
    }
    bottom_.store(end, Atomics::release);  // [deque:publish] pairs with steal()
    return true;
  }

  /// Owner. The youngest, or null.
  T* pop() noexcept {
    const std::int64_t bottom = bottom_.load(Atomics::relaxed) - 1;  // owner only
    if (bottom < top_seen_) {  // empty: top only grows, so a stale top is no harm
      return nullptr;
    }
    Atomics::store_before_loads(bottom_, bottom);  // [deque:last] pairs with steal()
    const std::int64_t top = top_.load(Atomics::seq_cst);  // [deque:last]
    if (top < bottom) [[likely]] {
      return owned_.slot(bottom).load(Atomics::relaxed);  // owner only
    }
    return pop_last(bottom, top);
  }

  /// Owner. Pops `item`, if it is the youngest and not the last one. False: nothing has changed, and
  /// pop() may still give it.
  bool pop_quickly(const T* item) noexcept {
    const std::int64_t bottom = bottom_.load(Atomics::relaxed) - 1;  // owner only
    if (bottom < quick_from_ || owned_.slot(bottom).load(Atomics::relaxed) != item)
        [[unlikely]] {  // owner only
      return false;
    }
    Atomics::plain_store_before_loads(bottom_, bottom);  // [deque:last] pairs with steal()
    if (top_.load(Atomics::relaxed) < bottom) [[likely]] {  // the thief's barrier orders it
      return true;
    }
    bottom_.store(bottom + 1, Atomics::release);  // [deque:publish] for a thief that sees this one
    return false;
  }

  /// Any thread. The oldest, or null: empty, or another thief was faster.
  T* steal() noexcept {
    std::int64_t top = top_.load(Atomics::seq_cst);  // [deque:last]
    if (top >= bottom_.load(Atomics::relaxed)) {  // hint: not worth a barrier
      return nullptr;
    }
    Atomics::heavy_barrier();  // [deque:last] pairs with pop()
    const std::int64_t bottom = bottom_.load(Atomics::seq_cst);  // [deque:last] [deque:publish]
    if (top >= bottom) {
      return nullptr;
    }
    ring* at = ring_.load(Atomics::acquire);  // [deque:grow]
    T* item = at->slot(top).load(Atomics::relaxed);  // valid only if the exchange below succeeds
    // release: [deque:top] the owner reuses the slot only after seeing the new top
    return top_.compare_exchange_strong(top, top + 1, Atomics::seq_cst, Atomics::relaxed) ? item
                                                                                          : nullptr;
  }

  /// Any thread; exact for the owner, a snapshot for others.
  bool empty() const noexcept {
    return top_.load(Atomics::seq_cst) >= bottom_.load(Atomics::seq_cst);
  }

 private:
  /// A power of two of slots, which an index goes round and round.
  struct ring {
    atomic<T*>& slot(std::int64_t index) const noexcept { return items[index & mask]; }
    std::int64_t capacity() const noexcept { return mask + 1; }
    std::int64_t mask = -1;
    atomic<T*>* items = nullptr;
  };
  struct owning_ring {
    explicit owning_ring(std::int64_t slots)
        : items(std::make_unique<atomic<T*>[]>(static_cast<std::size_t>(slots))),
          view{slots - 1, items.get()} {}
    std::unique_ptr<atomic<T*>[]> items;
    ring view;
  };

  void append(T* item, std::int64_t bottom) noexcept {
    owned_.slot(bottom).store(item, Atomics::relaxed);  // published by the release below
    bottom_.store(bottom + 1, Atomics::release);  // [deque:publish] pairs with steal()
  }

  /// The rare end of pop(): none is left, or one, which a thief may be taking.
  HARRIER_NOINLINE T* pop_last(std::int64_t bottom, std::int64_t top) noexcept {
    T* item = nullptr;
    std::int64_t first = top;
    // The last one: whoever moves top has it. relaxed: the owner knows what is in the slot, and to
    // thieves this exchange publishes nothing.
    if (top == bottom &&
        top_.compare_exchange_strong(first, top + 1, Atomics::relaxed, Atomics::relaxed)) {
      item = owned_.slot(bottom).load(Atomics::relaxed);  // owner only
    }
    see_top(bottom + 1);
    bottom_.store(bottom + 1, Atomics::relaxed);  // owner only; no slot is published by it
    return item;
  }

  /// What push and pop compare with: one look tells them of room, and of a kernel with membarrier.
  void see_top(std::int64_t top) noexcept {
    top_seen_ = top;
    if (Atomics::stores_are_plain()) {
      quick_from_ = top;
      quick_below_ = top + owned_.capacity();
    }
  }

  /// Looks how far the thieves are, and doubles the ring if that is not enough.
  HARRIER_NOINLINE void make_room(std::int64_t bottom) {
    see_top(top_.load(Atomics::acquire));  // [deque:top] slots below are free
    if (bottom - top_seen_ < owned_.capacity()) {
      return;
    }
    rings_.reserve(rings_.size() + 1);
    auto fresh = std::make_unique<owning_ring>(
        owned_.capacity() == 0 ? static_cast<std::int64_t>(first_capacity) : 2 * owned_.capacity());
    for (std::int64_t index = top_seen_; index < bottom; ++index) {
      fresh->view.slot(index).store(owned_.slot(index).load(Atomics::relaxed), Atomics::relaxed);
    }
    owned_ = fresh->view;
    see_top(top_seen_);
    ring_.store(&fresh->view, Atomics::release);  // [deque:grow] pairs with steal()
    rings_.push_back(std::move(fresh));  // the old ones stay: a thief may still read them
  }

  alignas(64) atomic<std::int64_t> top_;  // thieves write it
  alignas(64) atomic<std::int64_t> bottom_;  // the owner writes it
  // owner only, as all below but ring_
  std::int64_t quick_from_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t quick_below_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t top_seen_ = 0;  // top_ when it was last read
  ring owned_;  // the newest ring
  std::vector<std::unique_ptr<owning_ring>> rings_;
  atomic<ring*> ring_;
};

}  // namespace harrier::detail
