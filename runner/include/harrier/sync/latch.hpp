// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/value_waiter.hpp>
#include <harrier/sync/errors.hpp>

#include <cstddef>
#include <cstdint>

namespace harrier {
namespace detail {

/// A count that tasks wait for to be 0: what a latch and a wait group have in common.
template <class Family>
class HARRIER_EXPORT countdown {
 public:
  explicit countdown(std::ptrdiff_t count);
  countdown(const countdown&) = delete;
  countdown& operator=(const countdown&) = delete;
  ~countdown() {
    if (line_.has_waiters()) [[unlikely]] {
      fatal("a latch or wait group was destroyed while coroutines waited for it");
    }
  }

  std::ptrdiff_t count() const noexcept { return static_cast<std::ptrdiff_t>(line_.value()); }

  /// Waits until the count is 0; not at all if it is.
  value_operation<countdown> wait() {
    binding_.check("a local latch or wait group");
    return value_operation<countdown>(*this);
  }

 protected:
  void add_count(std::ptrdiff_t by);
  void subtract(std::ptrdiff_t by);

 private:
  friend class value_awaiter<countdown>;

  static constexpr const char* wait_name = "latch::wait";
  static constexpr next_value pass(std::uint64_t now) noexcept {
    return now == 0 ? next_value(0) : next_value::none();
  }
  bool pass_now() const noexcept { return line_.value() == 0; }
  void take_back() noexcept {}  // who is cancelled takes nothing from the others

  waiting_line<typename Family::word> line_;
  [[no_unique_address]] typename Family::binding binding_;
};

}  // namespace detail

/// Opens once, after so many arrivals: `latch`, and `local_latch` for one loop.
///
/// Threads   latch: any. local_latch: the loop that used it first; on another one foreign_loop.
/// Lifetime  destroyed while somebody waits, it ends the program. Whoever has waited may destroy it.
/// Memory    what happened before each arrival happens before the wait returns.
/// Errors    invalid_count: negative. too_many_releases: the count would fall below 0.
template <class Family>
class basic_latch final : public detail::countdown<Family> {
 public:
  explicit basic_latch(std::ptrdiff_t count) : detail::countdown<Family>(count) {}

  void count_down(std::ptrdiff_t by = 1) { this->subtract(by); }
  /// Whether it has opened.
  bool try_wait() const noexcept { return this->count() == 0; }
  /// Counts down by one now; awaiting what it gives waits for the others.
  auto arrive_and_wait() {
    this->subtract(1);
    return this->wait();
  }
};

using latch = basic_latch<detail::any_loop>;
using local_latch = basic_latch<detail::one_loop>;

// Compiled in the library.
extern template class detail::countdown<detail::any_loop>;
extern template class detail::countdown<detail::one_loop>;

}  // namespace harrier
