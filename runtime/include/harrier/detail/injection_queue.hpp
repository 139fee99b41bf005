// SPDX-License-Identifier: Apache-2.0
// Tasks that were handed in and wait for a worker: the runtime has one queue for any worker, and
// each slot has one for what is addressed to it.
//
// Threads     whoever holds the lobby's mutex; size() any thread.
// Invariant 1 each task in it is in no list of live tasks: whoever sweeps those comes here too.
// Rejected    linking the tasks: a worker that takes some would hold the lock while the line of each
//             comes over from the core that made it.
#pragma once

#include <harrier/detail/allocator.hpp>
#include <harrier/detail/node_record.hpp>
#include <harrier/detail/ready_node.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <new>
#include <span>

namespace harrier::detail {

class injection_queue {
 public:
  /// Room for what one take() gives.
  using pack = std::array<ready_node*, 256>;

  void push(ready_node& node, priority urgency) noexcept {
    waiting& of = classes_[static_cast<std::size_t>(urgency)];
    try {
      if (of.linked.empty()) {
        of.nodes.push_back(&node);
      } else {
        of.linked.push_back(node);
      }
    } catch (const std::bad_alloc&) {
      of.linked.push_back(node);
    }
    set_size(size_.load(std::memory_order_relaxed) + 1);  // written under the mutex
  }

  /// Moves `count` of them, if there are so many and `out` has room, to `out`: in the order of class,
  /// but the oldest of each class comes along, so that an endless stream of one class does not hold
  /// up the others. What it gives is a part of `out`.
  std::span<ready_node* const> take(pack& out, std::size_t count) noexcept {
    count = std::min(count, out.size() - (classes_.size() - 1));
    std::size_t taken = 0;
    for (waiting& of : classes_) {
      for (bool oldest = true; taken < count || oldest; oldest = false) {
        ready_node* node = of.pop();
        if (node == nullptr) {
          break;
        }
        out[taken++] = node;
      }
    }
    set_size(size_.load(std::memory_order_relaxed) - taken);  // written under the mutex
    return std::span(out).first(taken);
  }

  template <class Visit>
  void for_each(Visit visit) {
    for (waiting& of : classes_) {
      for (ready_node* node : of.nodes) {
        visit(record_of(*node));
      }
      of.linked.for_each([&visit](ready_node& node) { visit(record_of(node)); });
    }
  }

  /// Exact for the sleeper's second look: pairs with the mark of the slot, or `hungry`  [idle:hungry].
  std::size_t size() const noexcept { return size_.load(std::memory_order_seq_cst); }

 private:
  struct waiting {
    std::deque<ready_node*, allocator<ready_node*>> nodes;
    ready_list linked;  ///< younger than all of `nodes`: those for which there was no memory

    ready_node* pop() noexcept {
      if (nodes.empty()) {
        return linked.pop_front();
      }
      ready_node* node = nodes.front();
      nodes.pop_front();
      return node;
    }
  };

  void set_size(std::size_t size) noexcept { size_.store(size, std::memory_order_seq_cst); }

  std::array<waiting, 3> classes_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace harrier::detail
