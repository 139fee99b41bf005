// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/sync/channel.hpp>

#include <optional>
#include <utility>

namespace harrier {

/// Carries one item, and is closed by that: `oneshot`, and `local_oneshot` for one loop.
///
/// A channel with room for one: sending never waits. Of those who receive, the first gets the item, the
/// others nothing. The rest is as for a channel.
template <class T, class Family>
class basic_oneshot {
 public:
  basic_oneshot() : items_(1) {}

  /// Throws channel_closed if something was sent before, or it is closed.
  void send(T value) {
    items_.try_send(std::move(value));
    items_.close();
  }
  /// Whoever receives gets nothing, unless something was sent.
  void close() { items_.close(); }

  /// Waits for the item; none if it was closed without, or somebody else has it.
  auto receive() { return items_.receive(); }
  std::optional<T> try_receive() { return items_.try_receive(); }

  bool is_closed() const noexcept { return items_.is_closed(); }

 private:
  basic_channel<T, detail::fifo_order, Family> items_;
};

template <class T>
using oneshot = basic_oneshot<T, detail::any_loop>;
template <class T>
using local_oneshot = basic_oneshot<T, detail::one_loop>;

}  // namespace harrier
