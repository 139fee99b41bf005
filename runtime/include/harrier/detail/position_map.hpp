// SPDX-License-Identifier: Apache-2.0
// The items of a batch that are left to do, numbered without gaps: position p is the p-th of them.
#pragma once

#include <harrier/index_set.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

namespace harrier::detail {

class position_map {
 public:
  position_map() noexcept = default;
  explicit position_map(const index_set& left) {
    std::uint64_t position = 0;
    parts_.reserve(left.ranges().size());
    for (const index_range& each : left.ranges()) {
      parts_.push_back({position, each.first});
      position += each.size();
    }
  }

  /// Nothing was left out: positions are indices.
  bool empty() const noexcept { return parts_.empty(); }

  std::uint64_t index_of(std::uint64_t position) const noexcept {
    const part& of = *std::prev(after(position));
    return of.index + (position - of.position);
  }

  /// The index of `position`, and those that follow it without a gap, of the positions below `last`.
  index_range indices_at(std::uint64_t position, std::uint64_t last) const noexcept {
    const auto next = after(position);
    const part& of = *std::prev(next);
    const std::uint64_t end = next == parts_.end() ? last : std::min(next->position, last);
    return index_range(of.index + (position - of.position), of.index + (end - of.position));
  }

 private:
  struct part {
    std::uint64_t position;  // of its first item
    std::uint64_t index;
  };

  std::vector<part>::const_iterator after(std::uint64_t position) const noexcept {
    return std::upper_bound(parts_.begin(), parts_.end(), position,
                            [](std::uint64_t at, const part& of) { return at < of.position; });
  }

  std::vector<part> parts_;
};

}  // namespace harrier::detail
