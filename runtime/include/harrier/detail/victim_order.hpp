// SPDX-License-Identifier: Apache-2.0
// In which order a thief tries the others: near before far, and at random within one distance, so
// that not every thief falls upon the same victim.
//
// Threads     the slot's thread.
#pragma once

#include <harrier/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace harrier::detail {

class HARRIER_EXPORT victim_order {
 public:
  /// All others are equally far.
  victim_order(std::size_t self, std::size_t workers) noexcept : self_(self), workers_(workers) {}

  /// `distances[w]` is how far worker w is. Throws std::bad_alloc: all stay equally far.
  void sort_by(const std::vector<unsigned>& distances);

  /// Calls `attempt(w)` for the others until one gives true. `random()` gives any number.
  template <class Random, class Attempt>
  bool try_each(Random random, Attempt attempt) const;

 private:
  std::size_t self_;
  std::size_t workers_;
  std::vector<std::uint32_t> victims_;  // near to far; empty: all are equally far
  std::vector<std::size_t> ends_;  // where in victims_ each distance ends
};

template <class Random, class Attempt>
bool victim_order::try_each(Random random, Attempt attempt) const {
  if (victims_.empty()) {
    const std::size_t start = random() % workers_;
    for (std::size_t step = 0; step < workers_; ++step) {
      const std::size_t victim = (start + step) % workers_;
      if (victim != self_ && attempt(victim)) {
        return true;
      }
    }
    return false;
  }
  std::size_t first = 0;
  for (const std::size_t end : ends_) {
    const std::size_t start = random() % (end - first);
    for (std::size_t step = 0; step < end - first; ++step) {
      if (attempt(victims_[first + (start + step) % (end - first)])) {
        return true;
      }
    }
    first = end;
  }
  return false;
}

}  // namespace harrier::detail
