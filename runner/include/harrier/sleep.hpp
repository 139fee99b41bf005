// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/timer_heap.hpp>

#include <chrono>
#include <coroutine>

namespace harrier {
namespace detail {

class HARRIER_EXPORT sleep_awaiter final : public timed_suspension {
 public:
  enum class from : std::uint32_t { clock_start, suspension };

  sleep_awaiter(duration delay, from origin) noexcept
      : timed_suspension(operations_table), delay_(delay) {
    sequence = static_cast<std::uint32_t>(origin);  // until the heap numbers the node
  }

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "sleep");
    return publish();
  }

  void await_resume() { deliver_cancel(); }

 private:
  bool publish();
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static const ready_operations operations_table;

  duration delay_;
};

/// What sleep_for and sleep_until give: awaited once or often.
class [[nodiscard]] sleep_operation {
 public:
  using harrier_native = void;

  sleep_operation(duration delay, sleep_awaiter::from origin) noexcept
      : delay_(delay), origin_(origin) {}

  sleep_awaiter operator co_await() const noexcept { return sleep_awaiter(delay_, origin_); }

 private:
  duration delay_;
  sleep_awaiter::from origin_;
};

}  // namespace detail

/// Suspends for at least `delay`. Zero or less gives up one turn, like `yield()`.
///
/// Cancel   throws `cancelled` at once, and the timer is gone.
/// Errors   no_running_loop; std::bad_alloc.
/// Cost     no allocation but 16 bytes in the loop's heap; O(log timers).
inline detail::sleep_operation sleep_for(duration delay) noexcept {
  return detail::sleep_operation(delay, detail::sleep_awaiter::from::suspension);
}

/// The same for any unit: what a `duration` cannot hold is taken as its longest.
template <class Rep, class Period>
detail::sleep_operation sleep_for(std::chrono::duration<Rep, Period> delay) noexcept {
  using exact = std::chrono::duration<long double, duration::period>;
  const exact wide = std::chrono::duration_cast<exact>(delay);
  if (wide >= exact(duration::max())) {
    return sleep_for(duration::max());
  }
  if (wide <= exact(duration::min())) {
    return sleep_for(duration::min());
  }
  return sleep_for(std::chrono::duration_cast<duration>(delay));
}

/// Suspends until `deadline` on the loop's clock. A deadline in the past gives up one turn.
inline detail::sleep_operation sleep_until(time_point deadline) noexcept {
  return detail::sleep_operation(deadline.time_since_epoch(),
                                 detail::sleep_awaiter::from::clock_start);
}

}  // namespace harrier
