// SPDX-License-Identifier: Apache-2.0
// The items of a channel, first in first out: senders and receivers have a side each, with a lock and
// a line of its own, so that they meet only when the ring runs full or empty.
//
// Threads     try_push takes the senders' lock, try_pop the receivers'. All else holds both.
// Invariant 1 items lie in [head, tail), which are positions: the slot is the position by the mask.
//             Senders alone move tail forward, receivers alone move head forward.
// Invariant 2 each side has seen a position of the other that is not ahead of it in the direction
//             that matters: it knows of too little room, or too few items, never of too much.
// Protocol    a side looks at the other's position only when what it has seen is used up. It gives up
//             when the channel says that somebody waits, or is closed (`is_slow`): the caller then
//             takes both locks. Who begins to wait holds both, so nobody pushes or pops beside it.
// Rejected    one lock: its line goes from core to core with each item. A sequence number in each slot:
//             an exchange on a shared position for each item, and no order among those who wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier::detail {

/// A model makes it small by `first_slots`, a power of two.
template <class Item, class Family, std::uint64_t first_slots = 16>
class two_sided_ring {
  static_assert(std::is_nothrow_move_constructible_v<Item>);

 public:
  explicit two_sided_ring(std::uint64_t capacity) noexcept : capacity_(capacity) {}
  two_sided_ring(const two_sided_ring&) = delete;
  two_sided_ring& operator=(const two_sided_ring&) = delete;
  ~two_sided_ring() { free_slots(); }

  /// False: take both locks and look.
  bool try_push(Item& item) noexcept {
    side& my = senders_;
    const std::scoped_lock guard(my.lock);
    const std::uint64_t tail = my.position.own();
    if (my.is_slow) {
      return false;
    }
    if (tail - my.seen >= my.room) {
      my.seen = receivers_.position.of_other();
      if (tail - my.seen >= my.room) {
        return false;
      }
    }
    std::construct_at(&my.slots[tail & my.mask].item, std::move(item));
    my.position.publish(tail + 1);
    return true;
  }

  /// False: take both locks and look.
  bool try_pop(std::optional<Item>& out) noexcept {
    side& my = receivers_;
    const std::scoped_lock guard(my.lock);
    const std::uint64_t head = my.position.own();
    if (my.is_slow) {
      return false;
    }
    if (head == my.seen) {
      my.seen = senders_.position.of_other();
      if (head == my.seen) {
        return false;
      }
    }
    take(head, out);
    return true;
  }

  void lock() noexcept {
    senders_.lock.lock();
    receivers_.lock.lock();
  }
  void unlock() noexcept {
    receivers_.lock.unlock();
    senders_.lock.unlock();
  }

  // With both locks held.

  void set_slow(bool senders, bool receivers) noexcept {
    senders_.is_slow = senders;
    receivers_.is_slow = receivers;
  }

  std::uint64_t size() const noexcept {
    return senders_.position.own() - receivers_.position.own();
  }

  /// So that the next push allocates nothing. Throws std::bad_alloc, and nothing has changed.
  void make_room() {
    const std::uint64_t slots = senders_.slots == nullptr ? 0 : senders_.mask + 1;
    if (size() < slots) {
      return;
    }
    const std::uint64_t more = slots == 0 ? first_slots : 2 * slots;
    slot* const fresh = new slot[static_cast<std::size_t>(more)];
    const std::uint64_t tail = senders_.position.own();
    for (std::uint64_t each = receivers_.position.own(); each != tail; ++each) {
      std::construct_at(&fresh[each & (more - 1)].item, std::move(slot_at(each)));
      std::destroy_at(&slot_at(each));
    }
    delete[] senders_.slots;
    senders_.slots = receivers_.slots = fresh;
    senders_.mask = receivers_.mask = more - 1;
    senders_.room = more < capacity_ ? more : capacity_;
  }

  /// Throws std::bad_alloc, and then the item stays where it was.
  void push(Item& item) {
    make_room();
    const std::uint64_t tail = senders_.position.own();
    std::construct_at(&slot_at(tail), std::move(item));
    senders_.position.publish(tail + 1);
  }

  void pop(std::optional<Item>& out) noexcept {
    take(receivers_.position.own(), out);
    receivers_.seen = senders_.position.own();  // never behind the head
  }

  /// Puts an item back in front, whatever the capacity. Throws std::bad_alloc, likewise.
  void put_back(Item& item) {
    make_room();
    const std::uint64_t head = receivers_.position.own() - 1;
    std::construct_at(&slot_at(head), std::move(item));
    receivers_.position.publish(head);
    senders_.seen = head;  // the room that they had seen is less now
  }

 private:
  union slot {
    slot() noexcept {}
    ~slot() {}
    Item item;
  };

  /// What one side needs for an item: one line.
  struct alignas(64) side {
    typename Family::side_lock lock;
    bool is_slow = false;
    typename Family::position position;
    std::uint64_t seen = 0;  // of the other's position
    slot* slots = nullptr;
    std::uint64_t mask = 0;
    std::uint64_t room = 0;  // senders: how many items may lie in the ring
  };

  Item& slot_at(std::uint64_t position) noexcept {
    return senders_.slots[position & senders_.mask].item;
  }

  void take(std::uint64_t head, std::optional<Item>& out) noexcept {
    Item& item = receivers_.slots[head & receivers_.mask].item;
    out.emplace(std::move(item));
    std::destroy_at(&item);
    receivers_.position.publish(head + 1);
  }

  void free_slots() noexcept {
    const std::uint64_t tail = senders_.position.own();
    for (std::uint64_t each = receivers_.position.own(); each != tail; ++each) {
      std::destroy_at(&slot_at(each));
    }
    delete[] senders_.slots;
  }

  side senders_;
  side receivers_;
  const std::uint64_t capacity_;
};

}  // namespace harrier::detail
