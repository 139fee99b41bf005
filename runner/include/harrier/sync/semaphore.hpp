// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/sync_family.hpp>
#include <harrier/detail/sync_waiter.hpp>
#include <harrier/detail/waiting_line.hpp>
#include <harrier/sync/errors.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace harrier {

template <class Family>
class HARRIER_EXPORT basic_semaphore;

/// Holds one unit of a semaphore until it is destroyed.
template <class Family>
class [[nodiscard]] basic_permit {
 public:
  basic_permit() noexcept = default;
  explicit basic_permit(basic_semaphore<Family>& from) noexcept : from_(&from) {}
  basic_permit(basic_permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
  basic_permit& operator=(basic_permit&& other) noexcept {
    if (this != &other) {
      reset();
      from_ = std::exchange(other.from_, nullptr);
    }
    return *this;
  }
  ~basic_permit() { reset(); }

  explicit operator bool() const noexcept { return from_ != nullptr; }

 private:
  void reset() noexcept {
    if (from_ != nullptr) {
      std::exchange(from_, nullptr)->give_back();
    }
  }

  basic_semaphore<Family>* from_ = nullptr;
};

namespace detail {

template <class Family>
class HARRIER_EXPORT acquire_suspension : public sync_waiter {
 public:
  explicit acquire_suspension(basic_semaphore<Family>& from) noexcept
      : sync_waiter(operations_table), from_(from) {}

  bool await_ready() const noexcept { return from_.try_acquire_now(); }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "semaphore::acquire");
    return publish();
  }

 protected:
  void finish_wait() {
    settle([this] {
      from_.give_back();
      return true;
    });
  }

  basic_semaphore<Family>& from_;

 private:
  bool publish() noexcept;
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static void give_back(ready_node& node) noexcept;
  static const ready_operations operations_table;
};

template <class Family>
class [[nodiscard]] acquire_awaiter final : public acquire_suspension<Family> {
 public:
  using acquire_suspension<Family>::acquire_suspension;
  void await_resume() { this->finish_wait(); }
};

template <class Family>
class [[nodiscard]] permit_awaiter final : public acquire_suspension<Family> {
 public:
  using acquire_suspension<Family>::acquire_suspension;
  basic_permit<Family> await_resume() {
    this->finish_wait();
    return basic_permit<Family>(this->from_);
  }
};

template <class Family, template <class> class Awaiter>
class [[nodiscard]] acquire_operation {
 public:
  using harrier_native = void;
  explicit acquire_operation(basic_semaphore<Family>& from) noexcept : from_(&from) {}
  Awaiter<Family> operator co_await() const noexcept { return Awaiter<Family>(*from_); }

 private:
  basic_semaphore<Family>* from_;
};

}  // namespace detail

/// So many units that tasks take and give back: `semaphore`, and `local_semaphore` for one loop.
///
/// Threads   semaphore: any. local_semaphore: the loop that used it first; on another foreign_loop.
/// Order     first in, first out: a unit that is given back goes to the first who waits.
/// Lifetime  destroyed while somebody waits, it ends the program.
/// Memory    what happened before a release happens before the acquire that gets the unit returns.
/// Cost      with units left it does not suspend. Waiting allocates nothing.
template <class Family>
class HARRIER_EXPORT basic_semaphore {
 public:
  using permit = basic_permit<Family>;
  static constexpr std::ptrdiff_t max_units = std::ptrdiff_t{1} << 60;

  /// Throws invalid_count if `units` is negative.
  explicit basic_semaphore(std::ptrdiff_t units) : basic_semaphore(units, max_units) {}
  basic_semaphore(const basic_semaphore&) = delete;
  basic_semaphore& operator=(const basic_semaphore&) = delete;
  ~basic_semaphore() {
    if (line_.has_waiters()) [[unlikely]] {
      detail::fatal("a semaphore was destroyed while coroutines waited for it");
    }
  }

  /// Waits for a unit and takes it; somebody has to release() it.
  ///
  /// Cancel  throws `cancelled`; a unit that it was just given goes to the next.
  detail::acquire_operation<Family, detail::acquire_awaiter> acquire() {
    binding_.check("local_semaphore");
    return detail::acquire_operation<Family, detail::acquire_awaiter>(*this);
  }
  /// The same for a scope: `auto permit = co_await s.acquire_permit();`
  detail::acquire_operation<Family, detail::permit_awaiter> acquire_permit() {
    binding_.check("local_semaphore");
    return detail::acquire_operation<Family, detail::permit_awaiter>(*this);
  }
  /// Takes a unit if there is one and nobody waits.
  bool try_acquire() {
    binding_.check("local_semaphore");
    return line_.take_now(take);
  }

  /// Gives units back, to those who wait first. Throws invalid_count if `units` is negative, and
  /// too_many_releases beyond the most that there can be; then nothing has changed.
  void release(std::ptrdiff_t units = 1) {
    binding_.check("local_semaphore");
    if (units != 1 || !try_give_back()) {
      release_slowly(units);
    }
  }

  /// Units that nobody has.
  std::ptrdiff_t available() const noexcept { return static_cast<std::ptrdiff_t>(line_.value()); }
  /// Whether acquire() would wait.
  bool is_locked() const noexcept { return line_.value() == 0 || line_.has_waiters(); }

 protected:
  basic_semaphore(std::ptrdiff_t units, std::ptrdiff_t most)
      : line_(checked(units)), most_(static_cast<std::uint64_t>(most)) {}

 private:
  friend permit;
  friend class detail::acquire_suspension<Family>;

  static std::uint64_t checked(std::ptrdiff_t units) {
    if (units < 0) {
      throw invalid_count("a semaphore has no negative number of units");
    }
    return static_cast<std::uint64_t>(units);
  }
  static constexpr detail::next_value take(std::uint64_t now) noexcept {
    return now != 0 ? detail::next_value(now - 1) : detail::next_value::none();
  }

  bool try_acquire_now() noexcept { return line_.try_take(take); }
  bool try_give_back() noexcept {
    return line_.try_give([this](std::uint64_t now) {
      return now < most_ ? detail::next_value(now + 1) : detail::next_value::none();
    });
  }
  /// A unit that was taken comes back: there is room for it.
  void give_back() noexcept {
    binding_.check_or_die("a permit of a local_semaphore came back on another loop than its own");
    if (!try_give_back()) {
      hand_out(line_.enter(), 1);
    }
  }
  void release_slowly(std::ptrdiff_t units);
  /// Gives `units` to those who wait and to the word, which holds `now` and has been entered.
  void hand_out(std::uint64_t now, std::uint64_t units) noexcept;

  detail::waiting_line<typename Family::word> line_;
  const std::uint64_t most_;
  [[no_unique_address]] typename Family::binding binding_;
};

/// A semaphore that refuses to have more units than at first: a release too many is found at once.
template <class Family>
class basic_bounded_semaphore final : public basic_semaphore<Family> {
 public:
  explicit basic_bounded_semaphore(std::ptrdiff_t units) : basic_semaphore<Family>(units, units) {}
};

using semaphore = basic_semaphore<detail::any_loop>;
using local_semaphore = basic_semaphore<detail::one_loop>;
using bounded_semaphore = basic_bounded_semaphore<detail::any_loop>;
using local_bounded_semaphore = basic_bounded_semaphore<detail::one_loop>;

// Compiled in the library.
extern template class detail::acquire_suspension<detail::any_loop>;
extern template class detail::acquire_suspension<detail::one_loop>;
extern template class basic_semaphore<detail::any_loop>;
extern template class basic_semaphore<detail::one_loop>;

}  // namespace harrier
