// SPDX-License-Identifier: Apache-2.0
// quicksort: sorts an array in place; the two sides of a partition are sorted side by side.
//
// Question  how does a recursion fare whose first, serial step is its longest, and whose halves are
//           never quite halves?
// Unit      ns of wall time per element, all workers together.
// Unfair    another partition or another size at which it becomes serial (all use partition() and
//           sort_leaf() below), filling the array inside the timed part. Serial partitioning bounds
//           the speed-up: the first pass goes over the whole array on one worker.
// Sizes     HARRIER_BENCH_QUICKSORT_BITS: 12, 18, official 23; the array has 2^bits elements.
#pragma once

#include "../common/contender.hpp"
#include "../common/mix.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bench::quicksort {

/// Elements that are sorted on the spot.
inline constexpr std::ptrdiff_t leaf_elements = 512;

/// Splits begin .. end, which holds at least three elements, at the median of first, middle and
/// last (Hoare's way): nothing before the returned place is greater than anything from it on, and
/// neither side is empty. Not inlined, like sort_leaf(): every contender runs the same machine code.
[[gnu::noinline]] inline std::uint64_t* partition(std::uint64_t* begin, std::uint64_t* end) {
  const std::uint64_t first = *begin;
  const std::uint64_t middle = begin[(end - begin) / 2];
  const std::uint64_t last = end[-1];
  const std::uint64_t pivot =
      std::max(std::min(first, middle), std::min(std::max(first, middle), last));
  for (--end;; ++begin, --end) {
    while (*begin < pivot) ++begin;
    while (pivot < *end) --end;
    if (begin >= end) return end + 1;
    std::swap(*begin, *end);
  }
}

[[gnu::noinline]] inline void sort_leaf(std::uint64_t* begin, std::uint64_t* end) {
  std::sort(begin, end);
}

/// The numbers 0 .. 2^bits - 1, shuffled anew by every refill in the same way.
class numbers {
 public:
  explicit numbers(unsigned bits) : mask_((std::uint64_t{1} << bits) - 1), values_(mask_ + 1) {}

  void refill() {
    for (std::uint64_t i = 0; i < values_.size(); ++i) values_[i] = shuffled(i);
  }
  bool are_sorted() const {
    for (std::uint64_t i = 0; i < values_.size(); ++i) {
      if (values_[i] != i) return false;
    }
    return true;
  }
  std::uint64_t* begin() { return values_.data(); }
  std::uint64_t* end() { return values_.data() + values_.size(); }
  double count() const { return static_cast<double>(values_.size()); }

 private:
  /// A bijection of the numbers up to the mask: odd factors, and shifts folded downwards.
  std::uint64_t shuffled(std::uint64_t i) const {
    for (const std::uint64_t factor : {mix(1) | 1, mix(2) | 1, mix(3) | 1}) {
      i = (i * factor) & mask_;
      i ^= i >> 7;
    }
    return i;
  }

  std::uint64_t mask_;
  std::vector<std::uint64_t> values_;
};

/// A contender's measurement, given how it sorts begin .. end.
template <class F>
measurement measure(F sort) {
  const std::uint64_t bits = parameter("QUICKSORT_BITS", 12, 18, 23);
  check(bits >= 1 && bits <= 32, "HARRIER_BENCH_QUICKSORT_BITS must be 1 to 32");
  auto all = std::make_shared<numbers>(static_cast<unsigned>(bits));
  auto round = [all, sort = std::move(sort)] {
    all->refill();
    const duration taken = timed([&] { sort(all->begin(), all->end()); });
    check(all->are_sorted(), "quicksort");
    return taken;
  };
  return measurement(all->count(), std::move(round)).with_payload(all->count() * 8);
}

}  // namespace bench::quicksort
