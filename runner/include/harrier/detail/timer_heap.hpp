// SPDX-License-Identifier: Apache-2.0
// The timers of one loop: a four-way heap of deadlines, first in first out among equals.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/growing_array.hpp>
#include <harrier/detail/suspension.hpp>

#include <cstddef>
#include <cstdint>

namespace harrier::detail {

/// A suspension that a timer ends, or, without a record, a callback_node. The deadline itself is in
/// the heap.
struct timed_suspension : suspension {
  explicit timed_suspension(const ready_operations& ops) noexcept : suspension(ops) {}

  static constexpr std::uint32_t not_in_heap = ~std::uint32_t{0};

  std::uint32_t index = not_in_heap;  ///< where in the heap
  std::uint32_t sequence = 0;  ///< breaks ties
};

/// Threads   the thread that runs the loop.
/// Cost      insert and remove O(log n), the next deadline O(1); 16 bytes a timer.
class timer_heap {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  time_point next_deadline() const noexcept {
    return entries_.empty() ? time_point::max() : entries_.front().deadline;
  }

  /// Throws std::bad_alloc, and then nothing has changed.
  HARRIER_EXPORT void insert(timed_suspension& node, time_point deadline);
  HARRIER_EXPORT void remove(timed_suspension& node) noexcept;
  /// The earliest node that is due at `now`, removed; or null.
  HARRIER_EXPORT timed_suspension* pop_due(time_point now) noexcept;

 private:
  struct entry {
    time_point deadline;
    timed_suspension* node;
  };

  static bool before(const entry& a, const entry& b) noexcept;
  void place(std::size_t index, const entry& moved) noexcept;
  void sift_up(std::size_t index, entry moved) noexcept;
  void sift_down(std::size_t index, entry moved) noexcept;
  void erase(std::size_t index) noexcept;

  growing_array<entry> entries_;
  std::uint32_t sequence_ = 0;
};

}  // namespace harrier::detail
