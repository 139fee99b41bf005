// SPDX-License-Identifier: Apache-2.0
// The ready coroutines of one slot: first in first out, and open to thieves.
//
// Threads     the slot's thread pushes and pops; any thread takes from the front.
// Rejected    a bounded ring with a lock-free front: it needs an overflow list with a lock anyway,
//             and nodes that live in frames cannot fail to be queued.
#pragma once

#include <harrier/detail/owned_mutex.hpp>
#include <harrier/detail/ready_node.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>

namespace harrier::detail {

class stealable_queue {
 public:
  explicit stealable_queue(owned_mutex& guards) noexcept : mutex_(guards) {}

  // For the slot's thread.
  void push(ready_node& node) noexcept {
    mutex_.lock_as_owner();
    push_held(node);
    mutex_.unlock_as_owner();
  }
  ready_node* pop() noexcept {
    if (empty()) {
      return nullptr;
    }
    mutex_.lock_as_owner();
    ready_node* node = list_.pop_front();
    if (node != nullptr) {
      set_size(size() - 1);
    }
    mutex_.unlock_as_owner();
    return node;
  }

  // For whoever holds the mutex.
  void push_held(ready_node& node) noexcept {
    list_.push_back(node);
    set_size(size() + 1);
  }
  /// Moves the older half, if `out` has room, to `out`, and gives that part of it.
  std::span<ready_node* const> take_half_held(std::span<ready_node*> out) noexcept {
    const std::size_t present = size();
    const auto taken = out.first(std::min((present + 1) / 2, out.size()));
    for (ready_node*& node : taken) {
      node = list_.pop_front();
    }
    set_size(present - taken.size());
    return taken;
  }
  template <class Visit>
  void for_each_held(Visit visit) {
    list_.for_each(visit);
  }

  /// A hint to thieves; exact for the sleeper's second look, behind its barrier  [idle:hungry].
  bool empty() const noexcept { return size() == 0; }
  /// Likewise.
  // relaxed: the list itself is read under the mutex only
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  void set_size(std::size_t size) noexcept { size_.store(size, std::memory_order_relaxed); }

  owned_mutex& mutex_;  // the slot's
  ready_list list_;  // guarded by mutex_
  std::atomic<std::size_t> size_{0};  // written under mutex_, read by any as a hint
};

}  // namespace harrier::detail
