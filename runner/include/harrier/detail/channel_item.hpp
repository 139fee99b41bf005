// SPDX-License-Identifier: Apache-2.0
// How a channel keeps an item: as it is, or, if moving it may throw, in a box of its own, so that
// nothing throws while the channel is half changed.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace harrier::detail {

template <class T>
class boxed_item {
 public:
  explicit boxed_item(T&& value) : box_(std::make_unique<T>(std::move(value))) {}
  T& operator*() const noexcept { return *box_; }

 private:
  std::unique_ptr<T> box_;
};

template <class T>
inline constexpr bool is_boxed = !std::is_nothrow_move_constructible_v<T>;

template <class T>
using channel_item = std::conditional_t<is_boxed<T>, boxed_item<T>, T>;

template <class T>
T& unboxed(channel_item<T>& item) noexcept {
  if constexpr (is_boxed<T>) {
    return *item;
  } else {
    return item;
  }
}

}  // namespace harrier::detail
