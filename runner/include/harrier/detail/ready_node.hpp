// SPDX-License-Identifier: Apache-2.0
// What a ready queue holds, and the plain queue of a loop that runs alone.
#pragma once

#include <harrier/detail/config.hpp>

#include <cstddef>
#include <cstdint>

namespace harrier::detail {

struct execution;
struct ready_node;
struct wait_facts;

/// How the attempt to take a waiting node back ended.
enum class withdrawal : std::uint8_t {
  taken,  ///< nobody will wake it any more: it resumes with the cancel due
  too_late,  ///< its waker is already on the way and will enqueue it
  passed_on,  ///< the cancel went to what it waits for; it keeps waiting for the outcome
};

/// What can be done with a node without knowing its type.
struct ready_operations {
  /// Runs the node on the loop of `at`; the node may be gone afterwards.
  void (*run)(ready_node& node, execution& at);
  /// Takes a waiting node away from whoever would wake it. On the loop of the wait; suspensions
  /// only.
  withdrawal (*withdraw)(ready_node& node) noexcept;
  /// The node will never run: frees it if it owns itself; of a wait, gives back what was granted to it.
  /// Null: there is nothing to do.
  void (*discard)(ready_node& node) noexcept;
  /// Whether another worker may run the node, a task's record or wait; otherwise it stays on the
  /// loop it was enqueued on.
  bool stealable;
  /// The node's timer has come: called on the loop that had it, once it is out of the heap. Null: the
  /// node is a suspension, and is woken.
  void (*expire)(ready_node& node) noexcept = nullptr;
  /// What a suspension waits for, in words; null: it has no name.
  const char* waits_for = nullptr;
  /// Says more of that, while the wait cannot end: held_wait.hpp. On any thread, so it reads what is
  /// constant, atomic or has a lock. Null: there is no more.
  void (*tell)(const ready_node& node, wait_facts& facts) = nullptr;
};

/// A thing that a loop can run: a coroutine to resume, a task to start, a callback to call. It
/// lives in what it stands for (an awaiter, a record), so that queueing never allocates and never
/// fails.
struct ready_node {
  explicit ready_node(const ready_operations& ops) noexcept : operations(&ops) {}
  ready_node(const ready_node&) = delete;
  ready_node& operator=(const ready_node&) = delete;

  ready_node* next = nullptr;
  const ready_operations* operations;
};

/// A first-in first-out list of nodes. One thread.
class ready_list {
 public:
  ready_list() noexcept = default;
  ready_list(const ready_list&) = delete;
  ready_list& operator=(const ready_list&) = delete;

  bool empty() const noexcept { return front_ == nullptr; }
  /// Null if it is empty.
  const ready_node* front() const noexcept { return front_; }

  void push_back(ready_node& node) noexcept {
    node.next = nullptr;
    if (front_ == nullptr) {
      front_ = &node;
    } else {
      back_->next = &node;
    }
    back_ = &node;
  }

  ready_node* pop_front() noexcept {
    ready_node* node = front_;
    if (node != nullptr) {
      front_ = node->next;
    }
    return node;
  }

  bool contains(const ready_node& wanted) const noexcept {
    const ready_node* node = front_;
    while (node != nullptr && node != &wanted) {
      node = node->next;
    }
    return node != nullptr;
  }

  template <class Visit>
  void for_each(Visit visit) {
    for (ready_node* node = front_; node != nullptr; node = node->next) {
      visit(*node);
    }
  }

  /// Appends all of `other`, which is empty afterwards.
  void splice_back(ready_list& other) noexcept {
    if (other.empty()) {
      return;
    }
    if (front_ == nullptr) {
      front_ = other.front_;
    } else {
      back_->next = other.front_;
    }
    back_ = other.back_;
    other.front_ = nullptr;
  }

 private:
  ready_node* front_ = nullptr;
  ready_node* back_ = nullptr;
};

}  // namespace harrier::detail
