// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>

#include <utility>

namespace harrier {

namespace detail {
class callback_node;
}

/// A callback that waits for its turn or its time, given by `call_soon`, `call_later` and `call_at`.
///
/// Threads   any; from another thread than the loop's not while the loop closes.
/// Lifetime  dropping the handle changes nothing; it may outlive the loop.
class HARRIER_EXPORT callback_handle {
 public:
  callback_handle() noexcept = default;
  explicit callback_handle(detail::callback_node& node) noexcept : node_(&node) {}
  callback_handle(callback_handle&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  callback_handle& operator=(callback_handle&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~callback_handle();

  /// Calls the callback off and destroys it, with all that it holds, before it returns. False: it
  /// had been called, called off or dropped by a close already, or the handle is empty.
  bool cancel() noexcept;
  /// Whether cancel() came in time.
  bool is_cancelled() const noexcept;
  /// When the callback is due, on the loop's clock; the start of time for call_soon.
  time_point when() const noexcept;

 private:
  detail::callback_node* node_ = nullptr;
};

}  // namespace harrier
