// SPDX-License-Identifier: Apache-2.0
// The items of a channel that is not first in first out: a container under one lock. It has the shape
// of two_sided_ring, without its quick ways.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace harrier::detail {

template <class Item, class Family, class Order>
class ordered_store {
 public:
  explicit ordered_store(std::uint64_t /*capacity*/) noexcept {}

  bool try_push(Item& /*item*/) noexcept { return false; }
  bool try_pop(std::optional<Item>& /*out*/) noexcept { return false; }
  void lock() noexcept { lock_.lock(); }
  void unlock() noexcept { lock_.unlock(); }
  void set_slow(bool /*senders*/, bool /*receivers*/) noexcept {}

  std::uint64_t size() const noexcept { return items_.size(); }

  /// So that the next push allocates nothing. Throws std::bad_alloc, and nothing has changed.
  void make_room() {
    if (items_.size() == items_.capacity()) {
      items_.reserve(items_.empty() ? 16 : 2 * items_.size());
    }
  }

  void push(Item& item) {
    make_room();
    items_.push_back(std::move(item));
    Order::added(items_);
  }
  void pop(std::optional<Item>& out) {
    Order::bring_to_end(items_);
    out.emplace(std::move(items_.back()));
    items_.pop_back();
  }
  void put_back(Item& item) { push(item); }

 private:
  typename Family::lock lock_;
  std::vector<Item> items_;
};

}  // namespace harrier::detail
