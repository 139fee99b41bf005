// SPDX-License-Identifier: Apache-2.0
// What other threads send to one loop: pushed one by one, taken all at once.
//
// Threads     any thread pushes; the loop's thread takes and closes.
// Invariant 1 nodes come out in the order in which they were pushed.
// Invariant 2 only the push that finds the inbox empty has to wake the loop: whoever pushes onto a
//             non-empty one leaves that to the push before it.
// Invariant 3 after close() every push fails, and no node is left behind.
#pragma once

#include <harrier/detail/ready_node.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

class inbox {
 public:
  enum class pushed { first, later, refused };

  inbox() noexcept = default;
  inbox(const inbox&) = delete;
  inbox& operator=(const inbox&) = delete;

  pushed push(ready_node& node) noexcept {
    ready_node* top = top_.load(std::memory_order_relaxed);  // hint: re-checked at [inbox:publish]
    do {
      if (top == closed()) {
        return pushed::refused;
      }
      node.next = top;
      // seq_cst: [inbox:publish] pairs with the exchange in take_all(), which then sees the node;
      // and it is the waker's w1 of parker.hpp.
    } while (!top_.compare_exchange_weak(top, &node, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
    return top == nullptr ? pushed::first : pushed::later;
  }

  /// Cheap, and exact for the sleeper that has announced itself (p2 of parker.hpp).
  bool empty() const noexcept { return top_.load(std::memory_order_seq_cst) == nullptr; }

  /// Appends everything to `out`, oldest first.
  void take_all(ready_list& out) noexcept {
    // acquire: pairs with [inbox:publish]
    append_reversed(top_.exchange(nullptr, std::memory_order_acquire), out);
  }

  /// Refuses pushes from now on; what was left comes out.
  void close(ready_list& out) noexcept {
    // acquire: [inbox:publish]. A refused push learns of the close and of nothing else.
    ready_node* top = top_.exchange(closed(), std::memory_order_acquire);
    if (top != closed()) {
      append_reversed(top, out);
    }
  }

 private:
  static ready_node* closed() noexcept {
    static constexpr std::uintptr_t mark = 1;
    return reinterpret_cast<ready_node*>(mark);
  }

  static void append_reversed(ready_node* youngest, ready_list& out) noexcept {
    ready_node* oldest_first = nullptr;
    while (youngest != nullptr) {
      ready_node* next = youngest->next;
      youngest->next = oldest_first;
      oldest_first = youngest;
      youngest = next;
    }
    while (oldest_first != nullptr) {
      ready_node* next = oldest_first->next;
      out.push_back(*oldest_first);
      oldest_first = next;
    }
  }

  std::atomic<ready_node*> top_{nullptr};
};

}  // namespace harrier::detail
