// SPDX-License-Identifier: Apache-2.0
// The two sides of a channel as awaiters, and the operations that make them.
#pragma once

#include <harrier/detail/sync_waiter.hpp>
#include <harrier/sync/errors.hpp>

#include <coroutine>
#include <optional>
#include <utility>

namespace harrier::detail {

template <class Channel>
class [[nodiscard]] send_awaiter final : public sync_waiter {
 public:
  using item_type = typename Channel::item_type;

  send_awaiter(Channel& channel, item_type& sent) noexcept
      : sync_waiter(operations_table), item(sent), channel_(channel) {}

  bool await_ready() noexcept { return channel_.store_.try_push(item); }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "channel::send");
    return suspended(channel_.send_or_wait(*this));
  }

  void await_resume() {
    if (outcome == wait_outcome::granted) {
      return;  // the item is gone, so that a cancel which is due goes to the next wait
    }
    settle([] { return true; });
    if (outcome == wait_outcome::refused) {
      throw channel_closed();
    }
  }

  item_type& item;  ///< in the operation, which lives as long as the await

 private:
  static withdrawal withdraw(ready_node& node) noexcept {
    auto& self = static_cast<send_awaiter&>(node);
    return self.channel_.withdraw(self.channel_.senders_, self);
  }
  static void tell(const ready_node& node, wait_facts& facts) {
    facts.object = &static_cast<const send_awaiter&>(node).channel_;
  }
  static constexpr ready_operations operations_table =
      suspension::wait_table("channel::send", withdraw, tell);

  Channel& channel_;
};

template <class Channel>
class [[nodiscard]] receive_awaiter final : public sync_waiter {
 public:
  using item_type = typename Channel::item_type;
  using value_type = typename Channel::value_type;

  explicit receive_awaiter(Channel& channel) noexcept
      : sync_waiter(operations_table), channel_(channel) {}

  bool await_ready() noexcept { return channel_.store_.try_pop(item); }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "channel::receive");
    return suspended(channel_.receive_or_wait(*this));
  }

  std::optional<value_type> await_resume() {
    settle([this] { return !item || channel_.hand_back(*item); });
    return channel_.hand_out(item);
  }

  std::optional<item_type> item;  ///< what it was handed; none: closed

 private:
  static withdrawal withdraw(ready_node& node) noexcept {
    auto& self = static_cast<receive_awaiter&>(node);
    return self.channel_.withdraw(self.channel_.receivers_, self);
  }
  static void tell(const ready_node& node, wait_facts& facts) {
    facts.object = &static_cast<const receive_awaiter&>(node).channel_;
  }
  static void give_back(ready_node& node) noexcept {
    auto& self = static_cast<receive_awaiter&>(node);
    if (self.item) {
      self.channel_.hand_back(*self.item);
    }
  }
  static constexpr ready_operations operations_table =
      suspension::wait_table("channel::receive", withdraw, tell, give_back);

  Channel& channel_;
};

/// Owns the item until the channel has it. Awaited once.
template <class Channel>
class [[nodiscard]] send_operation {
 public:
  using harrier_native = void;
  using value_type = typename Channel::value_type;

  send_operation(Channel& channel, value_type&& value)
      : channel_(&channel), item_(std::move(value)) {}
  send_awaiter<Channel> operator co_await() noexcept {
    return send_awaiter<Channel>(*channel_, item_);
  }

 private:
  Channel* channel_;
  typename Channel::item_type item_;
};

template <class Channel>
class [[nodiscard]] receive_operation {
 public:
  using harrier_native = void;
  explicit receive_operation(Channel& channel) noexcept : channel_(&channel) {}
  receive_awaiter<Channel> operator co_await() const noexcept {
    return receive_awaiter<Channel>(*channel_);
  }

 private:
  Channel* channel_;
};

}  // namespace harrier::detail
