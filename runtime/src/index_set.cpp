// SPDX-License-Identifier: Apache-2.0
#include <harrier/index_set.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace harrier {

namespace {

bool begins_before(const index_range& a, const index_range& b) noexcept {
  return a.first < b.first;
}

}  // namespace

bool index_set::contains(std::uint64_t index) const noexcept {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), index_range(index, index), begins_before);
  return after != ranges_.begin() && index < std::prev(after)->last;
}

void index_set::append(index_range next) {
  if (ranges_.empty() || ranges_.back().last < next.first) {
    ranges_.push_back(next);
    size_ += next.size();
  } else if (ranges_.back().last < next.last) {
    size_ += next.last - std::exchange(ranges_.back().last, next.last);
  }
}

void index_set::insert(index_range added) {
  if (added.empty()) {
    return;
  }
  auto first = std::upper_bound(ranges_.begin(), ranges_.end(), added, begins_before);
  auto last = first;
  if (first != ranges_.begin() && std::prev(first)->last >= added.first) {
    --first;
  }
  while (last != ranges_.end() && last->first <= added.last) {
    ++last;
  }
  if (first == last) {
    ranges_.insert(first, added);
    size_ += added.size();
    return;
  }
  // Those from `first` to `last` and the new one are one range now.
  const index_range joined(std::min(first->first, added.first),
                           std::max(std::prev(last)->last, added.last));
  for (auto each = first; each != last; ++each) {
    size_ -= each->size();
  }
  size_ += joined.size();
  *first = joined;
  ranges_.erase(std::next(first), last);
}

void index_set::insert(std::vector<index_range>& added) {
  std::sort(added.begin(), added.end(), begins_before);
  index_set joined;
  joined.ranges_.reserve(ranges_.size() + added.size());
  auto mine = ranges_.begin();
  for (const index_range& next : added) {
    for (; mine != ranges_.end() && !begins_before(next, *mine); ++mine) {
      joined.append(*mine);
    }
    if (!next.empty()) {
      joined.append(next);
    }
  }
  for (; mine != ranges_.end(); ++mine) {
    joined.append(*mine);
  }
  *this = std::move(joined);
}

index_set index_set::complement(std::uint64_t total) const {
  index_set rest;
  std::uint64_t position = 0;
  for (const index_range& each : ranges_) {
    rest.insert(index_range(position, std::min(each.first, total)));
    position = each.last;
  }
  rest.insert(index_range(position, total));
  return rest;
}

}  // namespace harrier
