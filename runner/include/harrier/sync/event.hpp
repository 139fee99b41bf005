// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/value_waiter.hpp>
#include <harrier/sync/errors.hpp>

#include <cstdint>

namespace harrier {

/// A flag that tasks wait for, set until it is cleared: `event`, and `local_event` for one loop.
///
/// Threads   event: any. local_event: the loop that used it first; on another one foreign_loop.
/// Order     set() wakes all who wait then, in order, even if it is cleared before they run. Who finds
///           it set does not wait, and so may pass those who are being woken.
/// Lifetime  destroyed while somebody waits, it ends the program. Whom set() woke may destroy it.
/// Memory    what happened before set() happens before the wait that it ends returns.
template <class Family>
class HARRIER_EXPORT basic_event {
 public:
  explicit basic_event(bool is_set = false) noexcept : line_(is_set ? raised : lowered) {}
  basic_event(const basic_event&) = delete;
  basic_event& operator=(const basic_event&) = delete;
  ~basic_event() {
    if (line_.has_waiters()) [[unlikely]] {
      detail::fatal("an event was destroyed while coroutines waited for it");
    }
  }

  bool is_set() const noexcept { return line_.value() == raised; }
  void set();
  void clear();

  /// Waits until the event is set; not at all if it is.
  detail::value_operation<basic_event> wait() {
    binding_.check("local_event");
    return detail::value_operation<basic_event>(*this);
  }

 private:
  friend class detail::value_awaiter<basic_event>;

  static constexpr const char* wait_name = "event::wait";
  static constexpr std::uint64_t lowered = 0;
  static constexpr std::uint64_t raised = 1;
  static constexpr detail::next_value pass(std::uint64_t now) noexcept {
    return now == raised ? detail::next_value(raised) : detail::next_value::none();
  }
  bool pass_now() const noexcept { return is_set(); }
  void take_back() noexcept {}  // who is cancelled takes nothing from the others

  detail::waiting_line<typename Family::word> line_;
  [[no_unique_address]] typename Family::binding binding_;
};

using event = basic_event<detail::any_loop>;
using local_event = basic_event<detail::one_loop>;

/// A flag that lets one task through and is lowered by that: `auto_reset_event`, and
/// `local_auto_reset_event` for one loop. Two sets that nobody waits for are one.
///
/// Order     first in, first out: set() lets the first who waits through.
/// Cancel    throws `cancelled`; a set() that had just let it through goes to the next.
template <class Family>
class HARRIER_EXPORT basic_auto_reset_event {
 public:
  explicit basic_auto_reset_event(bool is_set = false) noexcept
      : line_(is_set ? raised : lowered) {}
  basic_auto_reset_event(const basic_auto_reset_event&) = delete;
  basic_auto_reset_event& operator=(const basic_auto_reset_event&) = delete;
  ~basic_auto_reset_event() {
    if (line_.has_waiters()) [[unlikely]] {
      detail::fatal("an event was destroyed while coroutines waited for it");
    }
  }

  bool is_set() const noexcept { return line_.value() == raised; }
  void set() {
    binding_.check("local_auto_reset_event");
    raise();
  }
  /// Lowers the flag, and says whether it was up.
  bool try_wait() {
    binding_.check("local_auto_reset_event");
    return line_.take_now(pass);
  }

  /// Waits for a set().
  detail::value_operation<basic_auto_reset_event> wait() {
    binding_.check("local_auto_reset_event");
    return detail::value_operation<basic_auto_reset_event>(*this);
  }

 private:
  friend class detail::value_awaiter<basic_auto_reset_event>;

  static constexpr const char* wait_name = "auto_reset_event::wait";
  static constexpr std::uint64_t lowered = 0;
  static constexpr std::uint64_t raised = 1;
  static constexpr detail::next_value pass(std::uint64_t now) noexcept {
    return now == raised ? detail::next_value(lowered) : detail::next_value::none();
  }
  bool pass_now() noexcept { return line_.try_take(pass); }
  void take_back() noexcept { raise(); }
  void raise() noexcept;

  detail::waiting_line<typename Family::word> line_;
  [[no_unique_address]] typename Family::binding binding_;
};

using auto_reset_event = basic_auto_reset_event<detail::any_loop>;
using local_auto_reset_event = basic_auto_reset_event<detail::one_loop>;

// Compiled in the library.
extern template class basic_event<detail::any_loop>;
extern template class basic_event<detail::one_loop>;
extern template class basic_auto_reset_event<detail::any_loop>;
extern template class basic_auto_reset_event<detail::one_loop>;

}  // namespace harrier
