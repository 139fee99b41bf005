// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/sync_family.hpp>
#include <harrier/detail/sync_waiter.hpp>
#include <harrier/sync/errors.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace harrier {

template <class T, class Family>
class HARRIER_EXPORT basic_broadcast;

namespace detail {

template <class T, class Family>
class [[nodiscard]] broadcast_send_awaiter final : public sync_waiter {
 public:
  broadcast_send_awaiter(basic_broadcast<T, Family>& to, std::shared_ptr<const T>& sent) noexcept
      : sync_waiter(operations_table), item(sent), to_(to) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "broadcast::send");
    return suspended(to_.send_or_wait(*this));
  }
  void await_resume() {
    if (outcome == wait_outcome::granted) {
      return;  // sent, so that a cancel which is due goes to the next wait
    }
    settle([] { return true; });
    if (outcome == wait_outcome::refused) {
      throw channel_closed();
    }
  }

  std::shared_ptr<const T>& item;

 private:
  static withdrawal withdraw(ready_node& node) noexcept {
    auto& self = static_cast<broadcast_send_awaiter&>(node);
    return self.to_.withdraw(self.to_.senders_, self);
  }
  static void tell(const ready_node& node, wait_facts& facts) {
    facts.object = &static_cast<const broadcast_send_awaiter&>(node).to_;
  }
  static constexpr ready_operations operations_table =
      suspension::wait_table("broadcast::send", withdraw, tell);

  basic_broadcast<T, Family>& to_;
};

template <class T, class Family>
class [[nodiscard]] broadcast_receive_awaiter final : public sync_waiter {
 public:
  broadcast_receive_awaiter(basic_broadcast<T, Family>& from, std::uint64_t& place) noexcept
      : sync_waiter(operations_table), from_(from), place_(place) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "broadcast::receive");
    return suspended(from_.wait_for_item(*this, place_));
  }
  std::optional<T> await_resume() {
    settle([] { return true; });  // its place has not moved: nothing is lost
    const std::shared_ptr<const T> item = from_.take(place_);
    return item != nullptr ? std::optional<T>(*item) : std::nullopt;
  }

 private:
  static withdrawal withdraw(ready_node& node) noexcept {
    auto& self = static_cast<broadcast_receive_awaiter&>(node);
    return self.from_.withdraw(self.from_.receivers_, self);
  }
  static void tell(const ready_node& node, wait_facts& facts) {
    facts.object = &static_cast<const broadcast_receive_awaiter&>(node).from_;
  }
  static constexpr ready_operations operations_table =
      suspension::wait_table("broadcast::receive", withdraw, tell);

  basic_broadcast<T, Family>& from_;
  std::uint64_t& place_;
};

template <class T, class Family>
class [[nodiscard]] broadcast_send_operation {
 public:
  using harrier_native = void;
  broadcast_send_operation(basic_broadcast<T, Family>& to, std::shared_ptr<const T> item) noexcept
      : to_(&to), item_(std::move(item)) {}
  broadcast_send_awaiter<T, Family> operator co_await() noexcept {
    return broadcast_send_awaiter<T, Family>(*to_, item_);
  }

 private:
  basic_broadcast<T, Family>* to_;
  std::shared_ptr<const T> item_;
};

template <class T, class Family>
class [[nodiscard]] broadcast_receive_operation {
 public:
  using harrier_native = void;
  broadcast_receive_operation(basic_broadcast<T, Family>& from, std::uint64_t& place) noexcept
      : from_(&from), place_(&place) {}
  broadcast_receive_awaiter<T, Family> operator co_await() const noexcept {
    return broadcast_receive_awaiter<T, Family>(*from_, *place_);
  }

 private:
  basic_broadcast<T, Family>* from_;
  std::uint64_t* place_;
};

}  // namespace detail

/// Receives every item that is sent while it exists, each once and in order, as a copy.
///
/// Threads   one coroutine at a time.     Lifetime  the broadcast outlives it.
template <class T, class Family>
class basic_subscription {
 public:
  explicit basic_subscription(basic_broadcast<T, Family>& to) : to_(to), place_(to.join()) {}
  basic_subscription(const basic_subscription&) = delete;
  basic_subscription& operator=(const basic_subscription&) = delete;
  ~basic_subscription() { to_.leave(place_); }

  /// The next item; none when the broadcast is closed and everything was received.
  detail::broadcast_receive_operation<T, Family> receive() {
    return detail::broadcast_receive_operation<T, Family>(to_, place_);
  }

 private:
  basic_broadcast<T, Family>& to_;
  std::uint64_t place_;
};

/// A channel in which every subscription gets every item: `broadcast`, and `local_broadcast` for one
/// loop. A sender waits while the slowest subscription is `capacity` items behind.
///
/// Order     items come in one order for all. Without subscriptions they go nowhere.
/// Errors    invalid_count unless the capacity is at least 1; channel_closed.
/// Cancel    of a receiver: it misses nothing. Of a sender: as for a channel.
/// Cost      an allocation for each item, which the subscriptions share.
template <class T, class Family>
class basic_broadcast {
 public:
  using value_type = T;
  using subscription = basic_subscription<T, Family>;

  explicit basic_broadcast(std::ptrdiff_t capacity) : capacity_(checked(capacity)) {}
  basic_broadcast(const basic_broadcast&) = delete;
  basic_broadcast& operator=(const basic_broadcast&) = delete;
  ~basic_broadcast() {
    if (!senders_.empty() || subscriptions_ != 0) [[unlikely]] {
      detail::fatal("a broadcast was destroyed while coroutines used it");
    }
  }

  detail::broadcast_send_operation<T, Family> send(T value) {
    binding_.check("local_broadcast");
    return detail::broadcast_send_operation<T, Family>(*this,
                                                       std::make_shared<const T>(std::move(value)));
  }

  /// Refuses what is sent from now on, and who waits to send.
  void close() {
    binding_.check("local_broadcast");
    detail::waiter_queue woken;
    {
      const std::scoped_lock guard(lock_);
      is_closed_ = true;
      receivers_.hand_all(woken, detail::wait_outcome::granted);
      senders_.hand_all(woken, detail::wait_outcome::refused);
    }
    detail::wake_waiters(woken);
  }

 private:
  friend subscription;
  friend class detail::broadcast_send_awaiter<T, Family>;
  friend class detail::broadcast_receive_awaiter<T, Family>;
  using send_awaiter = detail::broadcast_send_awaiter<T, Family>;

  struct entry {
    std::shared_ptr<const T> item;
    std::size_t unread;  // subscriptions that have yet to take it
  };

  static std::size_t checked(std::ptrdiff_t capacity) {
    if (capacity < 1) {
      throw invalid_count("a broadcast needs a capacity of at least 1");
    }
    return static_cast<std::size_t>(capacity);
  }

  std::uint64_t join() {
    binding_.check("local_broadcast");
    const std::scoped_lock guard(lock_);
    ++subscriptions_;
    return first_ + entries_.size();
  }

  void leave(std::uint64_t place) noexcept {
    detail::waiter_queue woken;
    {
      const std::scoped_lock guard(lock_);
      --subscriptions_;
      for (; place != first_ + entries_.size(); ++place) {
        --entries_[static_cast<std::size_t>(place - first_)].unread;
      }
      drop_read(woken);
    }
    detail::wake_waiters(woken);
  }

  detail::wait_start send_or_wait(send_awaiter& sender) {
    detail::waiter_queue woken;
    {
      const std::scoped_lock guard(lock_);
      if (is_closed_) {
        sender.outcome = detail::wait_outcome::refused;
        return detail::wait_start::taken;
      }
      if (entries_.size() >= capacity_) {
        if (!sender.begin_wait()) {
          sender.outcome = detail::wait_outcome::withdrawn;
          return detail::wait_start::cancelled;
        }
        senders_.push_back(sender);
        return detail::wait_start::waits;
      }
      append(sender, woken);
    }
    detail::wake_waiters(woken);
    return detail::wait_start::taken;
  }

  detail::wait_start wait_for_item(detail::sync_waiter& receiver, std::uint64_t place) noexcept {
    const std::scoped_lock guard(lock_);
    if (place != first_ + entries_.size() || is_closed_) {
      return detail::wait_start::taken;
    }
    if (!receiver.begin_wait()) {
      receiver.outcome = detail::wait_outcome::withdrawn;
      return detail::wait_start::cancelled;
    }
    receivers_.push_back(receiver);
    return detail::wait_start::waits;
  }

  /// The item at `place`, which moves on. Null: closed, and nothing is left.
  std::shared_ptr<const T> take(std::uint64_t& place) {
    detail::waiter_queue woken;
    std::shared_ptr<const T> item;
    {
      const std::scoped_lock guard(lock_);
      if (place != first_ + entries_.size()) {
        entry& at = entries_[static_cast<std::size_t>(place - first_)];
        item = at.item;
        --at.unread;
        ++place;
        drop_read(woken);
      }
    }
    detail::wake_waiters(woken);
    return item;
  }

  detail::withdrawal withdraw(detail::waiter_queue& from, detail::waiter_node& node) noexcept {
    const std::scoped_lock guard(lock_);
    if (node.outcome != detail::wait_outcome::queued) {
      return detail::withdrawal::too_late;
    }
    from.remove(node, detail::wait_outcome::withdrawn);
    return detail::withdrawal::taken;
  }

  // With the lock held.

  void append(send_awaiter& sender, detail::waiter_queue& woken) {
    if (subscriptions_ != 0) {
      entries_.push_back(entry{std::move(sender.item), subscriptions_});
      receivers_.hand_all(woken, detail::wait_outcome::granted);
    }
  }
  /// Drops what everybody has read, and lets those send who wait for the room.
  void drop_read(detail::waiter_queue& woken) {
    while (!entries_.empty() && entries_.front().unread == 0) {
      entries_.pop_front();
      ++first_;
    }
    while (!senders_.empty() && entries_.size() < capacity_) {
      append(static_cast<send_awaiter&>(*senders_.front()), woken);
      senders_.hand_front(woken, detail::wait_outcome::granted);
    }
  }

  const std::size_t capacity_;
  typename Family::lock lock_;
  // guarded by lock_
  std::deque<entry> entries_;
  std::uint64_t first_ = 0;  // the place of the first entry
  std::size_t subscriptions_ = 0;
  detail::waiter_queue senders_;
  detail::waiter_queue receivers_;
  bool is_closed_ = false;
  [[no_unique_address]] typename Family::binding binding_;
};

template <class T>
using broadcast = basic_broadcast<T, detail::any_loop>;
template <class T>
using local_broadcast = basic_broadcast<T, detail::one_loop>;

}  // namespace harrier
