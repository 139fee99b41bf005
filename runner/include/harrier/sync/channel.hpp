// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/awaitable.hpp>
#include <harrier/detail/channel_item.hpp>
#include <harrier/detail/channel_waiters.hpp>
#include <harrier/detail/ordered_store.hpp>
#include <harrier/detail/sync_family.hpp>
#include <harrier/detail/two_sided_ring.hpp>
#include <harrier/sync/errors.hpp>
#include <harrier/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier {

/// The capacity of a channel that never makes a sender wait.
inline constexpr std::ptrdiff_t unbounded = std::numeric_limits<std::ptrdiff_t>::max();

namespace detail {

/// First in, first out.
struct fifo_order {
  template <class T, class Family>
  using store = two_sided_ring<channel_item<T>, Family>;
};

/// Last in, first out.
struct lifo_order {
  template <class T>
  struct rule {
    static void added(std::vector<channel_item<T>>& /*items*/) noexcept {}
    static void bring_to_end(std::vector<channel_item<T>>& /*items*/) noexcept {}
  };
  template <class T, class Family>
  using store = ordered_store<channel_item<T>, Family, rule<T>>;
};

/// The least first, by `Compare`; equals in any order.
template <class Compare>
struct least_first_order {
  template <class T>
  struct rule {
    static bool later(channel_item<T>& a, channel_item<T>& b) {
      return Compare()(unboxed<T>(b), unboxed<T>(a));
    }
    static void added(std::vector<channel_item<T>>& items) {
      std::push_heap(items.begin(), items.end(), later);
    }
    static void bring_to_end(std::vector<channel_item<T>>& items) {
      std::pop_heap(items.begin(), items.end(), later);
    }
  };
  template <class T, class Family>
  using store = ordered_store<channel_item<T>, Family, rule<T>>;
};

}  // namespace detail

/// Carries items from tasks that send to tasks that receive. `channel` is first in, first out;
/// `lifo_channel` gives the latest first, `priority_channel` the least. `local_` ones are for one loop.
///
/// The capacity says how many items wait in the channel before a sender does: `unbounded`, or 0, where
/// each sender waits until a receiver has its item.
///
/// Threads   channel: any. local_channel: the loop that used it first; on another one foreign_loop.
/// Order     who waits is served first in, first out: an item that comes goes to the first receiver.
/// Lifetime  the channel outlives the operations on it; destroyed while somebody waits, it ends the
///           program. Items that are left go with it.
/// Errors    invalid_count: a negative capacity. A T whose move may throw is kept in a box; what it
///           throws goes to the sender or the receiver, and the item stays on that side.
/// Memory    what happened before a send happens before the receive of its item returns.
/// Cost      with room, or items, it does not suspend. Waiting allocates nothing. Slots are made as
///           they are needed, and stay until the channel goes.
template <class T, class Order, class Family>
class basic_channel {
 public:
  using value_type = T;
  using item_type = detail::channel_item<T>;

  explicit basic_channel(std::ptrdiff_t capacity)
      : capacity_(checked(capacity)), store_(capacity_) {}
  basic_channel(const basic_channel&) = delete;
  basic_channel& operator=(const basic_channel&) = delete;
  ~basic_channel() {
    if (!senders_.empty() || !receivers_.empty()) [[unlikely]] {
      detail::fatal("a channel was destroyed while coroutines waited for it");
    }
  }

  /// Sends `value`, when there is room or a receiver.
  ///
  /// Errors  channel_closed, also for those who wait when it is closed: the item was not taken.
  /// Cancel  throws `cancelled`, if the item was not taken. If it was, the cancel stays due.
  detail::send_operation<basic_channel> send(T value) {
    binding_.check("local_channel");
    return detail::send_operation<basic_channel>(*this, std::move(value));
  }

  /// The next item, when there is one; none when the channel is closed and empty.
  ///
  /// Cancel  throws `cancelled`. An item that it had just been given goes to the next receiver, or to
  ///         the front of the channel again.
  /// Example `while (auto item = co_await c.receive()) use(*item);`
  detail::receive_operation<basic_channel> receive() {
    binding_.check("local_channel");
    return detail::receive_operation<basic_channel>(*this);
  }

  /// Moves from `value` if there is room or a receiver. Throws channel_closed.
  bool try_send(T&& value);
  /// An item if there is one.
  std::optional<T> try_receive();

  /// Calls `use(item)` for each item until the channel is closed and empty, and awaits what it gives if
  /// that can be awaited. A closure that owns something is named first.
  template <class Use>
  task<> for_each(Use use) {
    for (;;) {
      auto item = co_await receive();
      if (!item) {
        co_return;
      }
      if constexpr (awaitable<std::invoke_result_t<Use&, T>>) {
        auto work = use(std::move(*item));
        co_await work;
      } else {
        use(std::move(*item));
      }
    }
  }

  /// Refuses what is sent from now on, and who waits to send. What is in the channel can be received;
  /// who waits to receive gets nothing.
  void close() { close_and(false); }
  /// The same, and drops what is in the channel.
  void close_now() { close_and(true); }

  bool is_closed() const noexcept {
    const std::scoped_lock both(store_);
    return is_closed_;
  }
  std::size_t size() const noexcept {
    const std::scoped_lock both(store_);
    return static_cast<std::size_t>(store_.size());
  }
  bool is_empty() const noexcept { return size() == 0; }
  bool is_full() const noexcept { return size() >= capacity_; }
  std::ptrdiff_t capacity() const noexcept { return static_cast<std::ptrdiff_t>(capacity_); }

 private:
  friend class detail::send_awaiter<basic_channel>;
  friend class detail::receive_awaiter<basic_channel>;
  using send_awaiter = detail::send_awaiter<basic_channel>;
  using receive_awaiter = detail::receive_awaiter<basic_channel>;

  static std::uint64_t checked(std::ptrdiff_t capacity) {
    if (capacity < 0) {
      throw invalid_count("a channel has no negative capacity: `unbounded` has no limit");
    }
    return static_cast<std::uint64_t>(capacity);
  }

  detail::wait_start send_or_wait(send_awaiter& sender);
  detail::wait_start receive_or_wait(receive_awaiter& receiver) noexcept;
  detail::withdrawal withdraw(detail::waiter_queue& from, detail::waiter_node& node) noexcept;
  /// Takes an item back from a receiver that was cancelled. False: no memory, and it keeps it.
  bool hand_back(item_type& item) noexcept;
  std::optional<T> hand_out(std::optional<item_type>& item);
  void close_and(bool drop);

  // With both locks held.

  /// The first who waits for an item gets this one, and is to be woken. Null: nobody waits.
  detail::waiter_node* hand_to_receiver(item_type& item) noexcept {
    detail::waiter_node* const first = receivers_.pop_front(detail::wait_outcome::granted);
    if (first != nullptr) {
      static_cast<receive_awaiter&>(*first).item.emplace(std::move(item));
      update_ways();
    }
    return first;
  }
  /// To the first who waits, or into the store, which has room.
  detail::waiter_node* place(item_type& item) noexcept {
    detail::waiter_node* const first = hand_to_receiver(item);
    if (first == nullptr) {
      store_.push(item);
    }
    return first;
  }
  bool pop_or_take(std::optional<item_type>& out, detail::waiter_queue& woken) noexcept;
  void refill(detail::waiter_queue& woken) noexcept;
  void update_ways() noexcept {
    store_.set_slow(is_closed_ || !receivers_.empty() || !senders_.empty(), !senders_.empty());
  }

  const std::uint64_t capacity_;
  mutable typename Order::template store<T, Family> store_;
  // guarded by the store's locks
  detail::waiter_queue senders_;
  detail::waiter_queue receivers_;
  bool is_closed_ = false;
  bool drops_ = false;
  [[no_unique_address]] typename Family::binding binding_;
};

template <class T>
using channel = basic_channel<T, detail::fifo_order, detail::any_loop>;
template <class T>
using local_channel = basic_channel<T, detail::fifo_order, detail::one_loop>;
template <class T>
using lifo_channel = basic_channel<T, detail::lifo_order, detail::any_loop>;
template <class T>
using local_lifo_channel = basic_channel<T, detail::lifo_order, detail::one_loop>;
template <class T, class Compare = std::less<T>>
using priority_channel = basic_channel<T, detail::least_first_order<Compare>, detail::any_loop>;
template <class T, class Compare = std::less<T>>
using local_priority_channel =
    basic_channel<T, detail::least_first_order<Compare>, detail::one_loop>;

template <class T, class Order, class Family>
detail::wait_start basic_channel<T, Order, Family>::send_or_wait(send_awaiter& sender) {
  std::unique_lock both(store_);
  if (is_closed_) {
    sender.outcome = detail::wait_outcome::refused;
    return detail::wait_start::taken;
  }
  if (detail::waiter_node* const first = hand_to_receiver(sender.item)) {
    both.unlock();
    detail::wake_waiter(*first);
    return detail::wait_start::taken;
  }
  if (store_.size() < capacity_) {
    store_.push(sender.item);
    return detail::wait_start::taken;
  }
  if (!sender.begin_wait()) {
    sender.outcome = detail::wait_outcome::withdrawn;
    return detail::wait_start::cancelled;
  }
  senders_.push_back(sender);
  update_ways();
  return detail::wait_start::waits;
}

template <class T, class Order, class Family>
detail::wait_start basic_channel<T, Order, Family>::receive_or_wait(
    receive_awaiter& receiver) noexcept {
  detail::waiter_queue woken;
  {
    const std::scoped_lock both(store_);
    if (!pop_or_take(receiver.item, woken)) {
      if (is_closed_) {
        return detail::wait_start::taken;
      }
      if (!receiver.begin_wait()) {
        receiver.outcome = detail::wait_outcome::withdrawn;
        return detail::wait_start::cancelled;
      }
      receivers_.push_back(receiver);
      update_ways();
      return detail::wait_start::waits;
    }
  }
  detail::wake_waiters(woken);
  return detail::wait_start::taken;
}

template <class T, class Order, class Family>
bool basic_channel<T, Order, Family>::pop_or_take(std::optional<item_type>& out,
                                                  detail::waiter_queue& woken) noexcept {
  if (store_.size() != 0) {
    store_.pop(out);
    refill(woken);
    return true;
  }
  if (senders_.empty()) {
    return false;
  }
  out.emplace(std::move(static_cast<send_awaiter&>(*senders_.front()).item));
  senders_.hand_front(woken, detail::wait_outcome::granted);
  update_ways();
  return true;
}

template <class T, class Order, class Family>
void basic_channel<T, Order, Family>::refill(detail::waiter_queue& woken) noexcept {
  if (senders_.empty()) {
    return;
  }
  while (!senders_.empty() && store_.size() < capacity_) {
    // It was full when they began to wait, so that there are slots enough: nothing is allocated.
    store_.push(static_cast<send_awaiter&>(*senders_.front()).item);
    senders_.hand_front(woken, detail::wait_outcome::granted);
  }
  update_ways();
}

template <class T, class Order, class Family>
detail::withdrawal basic_channel<T, Order, Family>::withdraw(detail::waiter_queue& from,
                                                             detail::waiter_node& node) noexcept {
  const std::scoped_lock both(store_);
  if (node.outcome != detail::wait_outcome::queued) {
    return detail::withdrawal::too_late;
  }
  from.remove(node, detail::wait_outcome::withdrawn);
  update_ways();
  return detail::withdrawal::taken;
}

template <class T, class Order, class Family>
bool basic_channel<T, Order, Family>::hand_back(item_type& item) noexcept {
  std::unique_lock both(store_);
  if (detail::waiter_node* const first = hand_to_receiver(item)) {
    both.unlock();
    detail::wake_waiter(*first);
    return true;
  }
  if (!drops_) {
    try {
      store_.put_back(item);
    } catch (...) {  // no memory: the receiver gets the item after all, and its cancel stays due
      return false;
    }
  }
  return true;
}

template <class T, class Order, class Family>
std::optional<T> basic_channel<T, Order, Family>::hand_out(std::optional<item_type>& item) {
  if constexpr (!detail::is_boxed<T>) {
    return std::move(item);
  } else {
    if (!item) {
      return std::nullopt;
    }
    try {
      return std::optional<T>(std::move(**item));
    } catch (...) {  // passed on: the item stays in the channel
      hand_back(*item);
      throw;
    }
  }
}

template <class T, class Order, class Family>
bool basic_channel<T, Order, Family>::try_send(T&& value) {
  binding_.check("local_channel");
  if constexpr (!detail::is_boxed<T>) {
    if (store_.try_push(value)) {
      return true;
    }
  }
  detail::waiter_node* first = nullptr;
  std::unique_lock both(store_);
  if (is_closed_) {
    throw channel_closed();
  }
  if (receivers_.empty() && store_.size() >= capacity_) {
    return false;
  }
  if (receivers_.empty()) {
    store_.make_room();  // first: once it is in its box, the value cannot be given back
  }
  if constexpr (detail::is_boxed<T>) {
    item_type boxed(std::move(value));
    first = place(boxed);
  } else {
    first = place(value);
  }
  both.unlock();
  if (first != nullptr) {
    detail::wake_waiter(*first);
  }
  return true;
}

template <class T, class Order, class Family>
std::optional<T> basic_channel<T, Order, Family>::try_receive() {
  binding_.check("local_channel");
  std::optional<item_type> item;
  if (!store_.try_pop(item)) {
    detail::waiter_queue woken;
    {
      const std::scoped_lock both(store_);
      pop_or_take(item, woken);
    }
    detail::wake_waiters(woken);
  }
  return hand_out(item);
}

template <class T, class Order, class Family>
void basic_channel<T, Order, Family>::close_and(bool drop) {
  binding_.check("local_channel");
  detail::waiter_queue woken;
  {
    const std::scoped_lock both(store_);
    is_closed_ = true;
    drops_ = drops_ || drop;
    receivers_.hand_all(woken, detail::wait_outcome::refused);
    senders_.hand_all(woken, detail::wait_outcome::refused);
    update_ways();
  }
  detail::wake_waiters(woken);
  if (drop) {
    // One by one: what an item's destructor does must not find the channel locked.
    while (try_receive()) {
    }
  }
}

}  // namespace harrier
