// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/lock_owner.hpp>
#include <harrier/detail/sync_family.hpp>
#include <harrier/detail/sync_waiter.hpp>
#include <harrier/detail/waiting_line.hpp>
#include <harrier/sync/errors.hpp>

#include <coroutine>
#include <utility>

namespace harrier {

template <class Family>
class HARRIER_EXPORT basic_mutex;
template <class Family>
class HARRIER_EXPORT basic_condition;

/// Holds a mutex until it is destroyed or unlocked.
template <class Family>
class [[nodiscard]] basic_mutex_guard {
 public:
  basic_mutex_guard() noexcept = default;
  /// Takes over a mutex that is locked.
  explicit basic_mutex_guard(basic_mutex<Family>& locked) noexcept : mutex_(&locked) {}
  basic_mutex_guard(basic_mutex_guard&& other) noexcept
      : mutex_(std::exchange(other.mutex_, nullptr)) {}
  basic_mutex_guard& operator=(basic_mutex_guard&& other) noexcept {
    if (this != &other) {
      reset();
      mutex_ = std::exchange(other.mutex_, nullptr);
    }
    return *this;
  }
  ~basic_mutex_guard() { reset(); }

  explicit operator bool() const noexcept { return mutex_ != nullptr; }

  /// Unlocks before the end of the scope. Throws not_locked if the guard holds nothing.
  void unlock() {
    if (mutex_ == nullptr) {
      throw not_locked("unlock of a guard");
    }
    reset();
  }
  /// Gives the mutex away, locked.
  basic_mutex<Family>* release() noexcept { return std::exchange(mutex_, nullptr); }

 private:
  void reset() noexcept {
    if (mutex_ != nullptr) {
      std::exchange(mutex_, nullptr)->unlock_held();
    }
  }

  basic_mutex<Family>* mutex_ = nullptr;
};

namespace detail {

template <class Family>
class HARRIER_EXPORT condition_awaiter;

template <class Family>
class HARRIER_EXPORT lock_awaiter final : public sync_waiter {
 public:
  lock_awaiter(basic_mutex<Family>& mutex, promise_base* asker) noexcept
      : sync_waiter(operations_table), mutex_(mutex), asker_(asker) {}

  bool await_ready() const noexcept {
    const bool locked = mutex_.try_lock_now();
    if (locked) {
      note_holder();  // here, where nothing of it has gone to memory yet
    }
    return locked;
  }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "mutex::lock");
    HARRIER_ASSERT(!mutex_.owner_.is_of(handle.promise()) && "a task locks a mutex that it holds");
    return publish();
  }

  basic_mutex_guard<Family> await_resume() {
    settle([this] {
      mutex_.unlock_held();
      return true;
    });
    if (record != nullptr) {
      note_holder();
    }
    return basic_mutex_guard<Family>(mutex_);
  }

 private:
  bool publish() noexcept;
  void note_holder() const noexcept { mutex_.owner_.set(asker_); }
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static void give_back(ready_node& node) noexcept;
  static const ready_operations operations_table;

  basic_mutex<Family>& mutex_;
  promise_base* asker_;  ///< null: a coroutine that is none of ours asked
};

template <class Family>
class [[nodiscard]] lock_operation {
 public:
  using harrier_native = void;
  explicit lock_operation(basic_mutex<Family>& mutex) noexcept : mutex_(&mutex) {}
  lock_awaiter<Family> awaited_by(promise_base& waiter) const noexcept {
    return lock_awaiter<Family>(*mutex_, &waiter);
  }
  lock_awaiter<Family> operator co_await() const noexcept {
    return lock_awaiter<Family>(*mutex_, nullptr);
  }

 private:
  basic_mutex<Family>* mutex_;
};

}  // namespace detail

/// Lets one task at a time into a section that may suspend: `mutex`, and `local_mutex` for one loop.
///
/// Threads   mutex: any. local_mutex: the loop that used it first; on another one foreign_loop.
/// Order     first in, first out. unlock() hands the mutex to the first who waits, so nobody overtakes.
/// Lifetime  destroyed while somebody waits, it ends the program. Whoever got the mutex may destroy it.
/// Memory    what happened before an unlock happens before the next lock returns.
/// Cost      not contended: it does not suspend. Waiting allocates nothing.
template <class Family>
class HARRIER_EXPORT basic_mutex {
 public:
  using guard = basic_mutex_guard<Family>;

  basic_mutex() noexcept : line_(free) {}
  basic_mutex(const basic_mutex&) = delete;
  basic_mutex& operator=(const basic_mutex&) = delete;
  ~basic_mutex() {
    if (line_.has_waiters()) [[unlikely]] {
      detail::fatal("a mutex was destroyed while coroutines waited for it");
    }
  }

  /// Waits for the mutex: `auto guard = co_await m.lock();`
  ///
  /// Cancel  throws `cancelled`; a mutex that it was just given goes to the next.
  /// Errors  foreign_loop. A task that locks what it holds is an assertion, or else waits for ever.
  detail::lock_operation<Family> lock() {
    binding_.check("local_mutex");
    return detail::lock_operation<Family>(*this);
  }

  /// A guard, which is empty if somebody holds the mutex or waits for it.
  guard try_lock() {
    binding_.check("local_mutex");
    if (!line_.take_now(take)) {
      return guard();
    }
    owner_.set_running();
    return guard(*this);
  }

  /// Unlocks what a guard has released. Throws not_locked.
  void unlock();

  bool is_locked() const noexcept { return (line_.value() & held) != 0; }

 private:
  friend guard;
  friend class detail::lock_awaiter<Family>;
  friend class basic_condition<Family>;
  friend class detail::condition_awaiter<Family>;

  // The value: whether it is held, and how many unlocks are void, each of a coroutine that was destroyed
  // in a condition's wait: its guard is about to unlock what it has not locked again.
  static constexpr std::uint64_t free = 0;
  static constexpr std::uint64_t held = 1;
  static constexpr std::uint64_t void_unlock = 2;
  static constexpr detail::next_value take(std::uint64_t now) noexcept {
    return (now & held) == 0 ? detail::next_value(now | held) : detail::next_value::none();
  }
  static constexpr detail::next_value give(std::uint64_t now) noexcept {
    return now == held ? detail::next_value(free) : detail::next_value::none();
  }

  bool try_lock_now() noexcept { return line_.try_take(take); }
  void unlock_held() noexcept {
    binding_.check_or_die("a local_mutex was unlocked on another loop than its own");
    owner_.clear();
    if (!line_.try_give(give)) {
      pass_on();
    }
  }
  /// Gives the mutex to the first who waits, unless the unlock is void. False: it was not locked.
  bool pass_on() noexcept;

  detail::waiting_line<typename Family::word> line_;
  detail::lock_owner owner_;
  [[no_unique_address]] typename Family::binding binding_;
};

using mutex = basic_mutex<detail::any_loop>;
using local_mutex = basic_mutex<detail::one_loop>;

// Compiled in the library.
extern template class detail::lock_awaiter<detail::any_loop>;
extern template class detail::lock_awaiter<detail::one_loop>;
extern template class basic_mutex<detail::any_loop>;
extern template class basic_mutex<detail::one_loop>;

}  // namespace harrier
