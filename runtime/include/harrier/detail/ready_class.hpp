// SPDX-License-Identifier: Apache-2.0
// What is ready on one slot, of a class that is not the normal one: tasks bound to the slot, and
// those that thieves may take. The two take turns.
//
// Threads     the slot's thread; thieves through open().
#pragma once

#include <harrier/detail/ready_node.hpp>
#include <harrier/detail/stealable_queue.hpp>

namespace harrier::detail {

class ready_class {
 public:
  explicit ready_class(owned_mutex& guards) noexcept : open_(guards) {}

  /// False: nothing is here. One look at a byte of the slot's own, so that a worker which knows no
  /// such tasks pays no more. True may be stale, until pop() has looked.
  bool in_use() const noexcept { return in_use_; }

  void push_bound(ready_node& node) noexcept {
    in_use_ = true;
    bound_.push_back(node);
  }
  /// For whoever holds the slot's mutex.
  void push_held(ready_node& node) noexcept {
    in_use_ = true;
    open_.push_held(node);
  }

  ready_node* pop() noexcept {
    bound_first_ = !bound_first_;
    ready_node* node = bound_first_ ? bound_.pop_front() : open_.pop();
    if (node == nullptr) {
      node = bound_first_ ? open_.pop() : bound_.pop_front();
    }
    in_use_ = node != nullptr;
    return node;
  }

  stealable_queue& open() noexcept { return open_; }
  const stealable_queue& open() const noexcept { return open_; }

 private:
  bool in_use_ = false;
  bool bound_first_ = false;
  ready_list bound_;
  stealable_queue open_;
};

}  // namespace harrier::detail
