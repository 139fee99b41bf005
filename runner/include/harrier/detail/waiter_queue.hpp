// SPDX-License-Identifier: Apache-2.0
// Who waits for a primitive: a first-in first-out list through nodes in the awaiters' frames.
//
// Threads     none of its own: the primitive's lock guards the list and the nodes in it.
// Invariant 1 a node is queued exactly while it is in the list.
// Invariant 2 whoever takes a node out says what became of it, under the lock: granted or refused
//             by a waker, who then wakes it; withdrawn by a cancel. So the two never both have it.
#pragma once

#include <cstdint>

namespace harrier::detail {

/// What became of a wait.
enum class wait_outcome : std::uint8_t {
  none,  ///< has not begun
  queued,  ///< somebody will take the node out
  granted,  ///< what was waited for belongs to the node
  refused,  ///< it will never come: closed, broken
  withdrawn,  ///< a cancel was first
};

struct waiter_node {
  waiter_node() noexcept = default;
  waiter_node(const waiter_node&) = delete;
  waiter_node& operator=(const waiter_node&) = delete;

  waiter_node* ahead = nullptr;
  waiter_node* behind = nullptr;
  wait_outcome outcome = wait_outcome::none;
};

class waiter_queue {
 public:
  waiter_queue() noexcept = default;
  waiter_queue(const waiter_queue&) = delete;
  waiter_queue& operator=(const waiter_queue&) = delete;

  bool empty() const noexcept { return front_ == nullptr; }
  waiter_node* front() const noexcept { return front_; }

  void push_back(waiter_node& node) noexcept {
    node.outcome = wait_outcome::queued;
    node.ahead = back_;
    node.behind = nullptr;
    (back_ == nullptr ? front_ : back_->behind) = &node;
    back_ = &node;
  }

  void remove(waiter_node& node, wait_outcome outcome) noexcept {
    (node.ahead == nullptr ? front_ : node.ahead->behind) = node.behind;
    (node.behind == nullptr ? back_ : node.behind->ahead) = node.ahead;
    node.outcome = outcome;
  }

  /// Null: nobody waits.
  waiter_node* pop_front(wait_outcome outcome) noexcept {
    waiter_node* node = front_;
    if (node != nullptr) {
      remove(*node, outcome);
    }
    return node;
  }

  /// Moves the front node to the end of `to`, with what became of it.
  void hand_front(waiter_queue& to, wait_outcome outcome) noexcept {
    waiter_node& node = *pop_front(outcome);
    to.push_back(node);
    node.outcome = outcome;
  }
  void hand_all(waiter_queue& to, wait_outcome outcome) noexcept {
    while (!empty()) {
      hand_front(to, outcome);
    }
  }

 private:
  waiter_node* front_ = nullptr;
  waiter_node* back_ = nullptr;
};

}  // namespace harrier::detail
