// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/timer_heap.hpp>

#include <algorithm>

namespace harrier::detail {

namespace {
constexpr std::size_t ways = 4;
}

bool timer_heap::before(const entry& a, const entry& b) noexcept {
  if (a.deadline != b.deadline) {
    return a.deadline < b.deadline;
  }
  // A difference, so that the order survives the wrap of the sequence.
  return static_cast<std::int32_t>(a.node->sequence - b.node->sequence) < 0;
}

void timer_heap::insert(timed_suspension& node, time_point deadline) {
  entries_.push_back({deadline, &node});
  node.sequence = sequence_++;
  sift_up(entries_.size() - 1, entries_.back());
}

void timer_heap::remove(timed_suspension& node) noexcept {
  if (node.index != timed_suspension::not_in_heap) {
    erase(node.index);
  }
}

timed_suspension* timer_heap::pop_due(time_point now) noexcept {
  if (entries_.empty() || entries_.front().deadline > now) {
    return nullptr;
  }
  timed_suspension* node = entries_.front().node;
  erase(0);
  return node;
}

void timer_heap::erase(std::size_t index) noexcept {
  entries_[index].node->index = timed_suspension::not_in_heap;
  const entry last = entries_.back();
  entries_.pop_back();
  if (index < entries_.size()) {
    if (index > 0 && before(last, entries_[(index - 1) / ways])) {
      sift_up(index, last);
    } else {
      sift_down(index, last);
    }
  }
  // A burst of sleepers does not keep its memory for ever.
  if (entries_.size() < entries_.capacity() / 8 && entries_.capacity() > 4096) {
    entries_.shrink_to_fit();
  }
}

void timer_heap::place(std::size_t index, const entry& moved) noexcept {
  entries_[index] = moved;
  moved.node->index = static_cast<std::uint32_t>(index);
}

void timer_heap::sift_up(std::size_t index, entry moved) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / ways;
    if (!before(moved, entries_[parent])) {
      break;
    }
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, moved);
}

void timer_heap::sift_down(std::size_t index, entry moved) noexcept {
  for (;;) {
    const std::size_t first = index * ways + 1;
    if (first >= entries_.size()) {
      break;
    }
    const std::size_t last = std::min(first + ways, entries_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < last; ++child) {
      if (before(entries_[child], entries_[least])) {
        least = child;
      }
    }
    if (!before(entries_[least], moved)) {
      break;
    }
    place(index, entries_[least]);
    index = least;
  }
  place(index, moved);
}

}  // namespace harrier::detail
