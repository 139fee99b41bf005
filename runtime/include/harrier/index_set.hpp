// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace harrier {

/// The indices from `first` up to, not including, `last`.
class index_range {
 public:
  index_range() noexcept {}
  index_range(std::uint64_t from, std::uint64_t to) noexcept : first(from), last(to) {}

  bool empty() const noexcept { return first >= last; }
  std::uint64_t size() const noexcept { return empty() ? 0 : last - first; }
  friend bool operator==(const index_range&, const index_range&) noexcept = default;

  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// A set of indices, kept as ranges: items that end more or less in order cost a few words, however
/// many they are.
///
/// Threads   one at a time.
/// Cost      contains() is logarithmic in the number of ranges, as is insert() of one at the end or beside
///           another; one between others moves those behind it.
class HARRIER_EXPORT index_set {
 public:
  index_set() noexcept {}

  bool contains(std::uint64_t index) const noexcept;
  /// How many indices there are.
  std::uint64_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// In order, neither touching nor empty.
  const std::vector<index_range>& ranges() const noexcept { return ranges_; }

  void insert(index_range added);
  /// Adds ranges in any order, overlapping or not; they are sorted in place. Linear in both.
  void insert(std::vector<index_range>& added);
  /// What is below `total` and not in here.
  index_set complement(std::uint64_t total) const;

  friend bool operator==(const index_set&, const index_set&) noexcept = default;

 private:
  void append(index_range next);  // one that does not begin before the last one

  std::vector<index_range> ranges_;
  std::uint64_t size_ = 0;
};

}  // namespace harrier
