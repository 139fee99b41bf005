// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/lock_owner.hpp>
#include <harrier/detail/sync_family.hpp>
#include <harrier/detail/sync_waiter.hpp>
#include <harrier/detail/waiting_line.hpp>
#include <harrier/sync/errors.hpp>

#include <coroutine>
#include <cstdint>
#include <utility>

namespace harrier {

template <class Family>
class HARRIER_EXPORT basic_shared_mutex;

/// How a shared mutex is held.
enum class lock_mode : std::uint8_t { exclusive, shared };

/// Holds a shared mutex until it is destroyed or unlocked.
template <class Family>
class [[nodiscard]] basic_shared_mutex_guard {
 public:
  basic_shared_mutex_guard() noexcept = default;
  basic_shared_mutex_guard(basic_shared_mutex<Family>& locked, lock_mode mode) noexcept
      : mutex_(&locked), mode_(mode) {}
  basic_shared_mutex_guard(basic_shared_mutex_guard&& other) noexcept
      : mutex_(std::exchange(other.mutex_, nullptr)), mode_(other.mode_) {}
  basic_shared_mutex_guard& operator=(basic_shared_mutex_guard&& other) noexcept {
    if (this != &other) {
      reset();
      mutex_ = std::exchange(other.mutex_, nullptr);
      mode_ = other.mode_;
    }
    return *this;
  }
  ~basic_shared_mutex_guard() { reset(); }

  explicit operator bool() const noexcept { return mutex_ != nullptr; }
  lock_mode mode() const noexcept { return mode_; }

  /// Unlocks before the end of the scope. Throws not_locked if the guard holds nothing.
  void unlock() {
    if (mutex_ == nullptr) {
      throw not_locked("unlock of a guard");
    }
    reset();
  }

 private:
  void reset() noexcept {
    if (mutex_ != nullptr) {
      std::exchange(mutex_, nullptr)->unlock_held(mode_);
    }
  }

  basic_shared_mutex<Family>* mutex_ = nullptr;
  lock_mode mode_ = lock_mode::exclusive;
};

namespace detail {

template <class Family>
class HARRIER_EXPORT shared_lock_awaiter final : public sync_waiter {
 public:
  shared_lock_awaiter(basic_shared_mutex<Family>& mutex, lock_mode mode,
                      promise_base* asker) noexcept
      : sync_waiter(operations_table), mutex_(mutex), mode_(mode), asker_(asker) {}

  bool await_ready() const noexcept {
    const bool locked = mutex_.try_lock_now(mode_);
    if (locked) {
      note_writer();
    }
    return locked;
  }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "shared_mutex::lock");
    HARRIER_ASSERT(!mutex_.writer_.is_of(handle.promise()) &&
                   "a task locks a shared_mutex that it holds");
    return publish();
  }

  basic_shared_mutex_guard<Family> await_resume() {
    settle([this] {
      mutex_.unlock_held(mode_);
      return true;
    });
    if (record != nullptr) {
      note_writer();
    }
    return basic_shared_mutex_guard<Family>(mutex_, mode_);
  }

 private:
  friend basic_shared_mutex<Family>;

  bool publish() noexcept;
  void note_writer() const noexcept {
    if (mode_ == lock_mode::exclusive) {
      mutex_.writer_.set(asker_);
    }
  }
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static void give_back(ready_node& node) noexcept;
  static const ready_operations operations_table;

  basic_shared_mutex<Family>& mutex_;
  const lock_mode mode_;
  promise_base* asker_;  ///< null: a coroutine that is none of ours asked
};

template <class Family>
class [[nodiscard]] shared_lock_operation {
 public:
  using harrier_native = void;
  shared_lock_operation(basic_shared_mutex<Family>& mutex, lock_mode mode) noexcept
      : mutex_(&mutex), mode_(mode) {}
  shared_lock_awaiter<Family> awaited_by(promise_base& waiter) const noexcept {
    return shared_lock_awaiter<Family>(*mutex_, mode_, &waiter);
  }
  shared_lock_awaiter<Family> operator co_await() const noexcept {
    return shared_lock_awaiter<Family>(*mutex_, mode_, nullptr);
  }

 private:
  basic_shared_mutex<Family>* mutex_;
  lock_mode mode_;
};

}  // namespace detail

/// Lets one task write, or many read: `shared_mutex`, and `local_shared_mutex` for one loop.
///
/// Order     first in, first out: a reader that comes after a waiting writer waits behind it, so no
///           side starves. Readers who wait side by side get it together.
/// The rest is as for a mutex.
template <class Family>
class HARRIER_EXPORT basic_shared_mutex {
 public:
  using guard = basic_shared_mutex_guard<Family>;

  basic_shared_mutex() noexcept : line_(0) {}
  basic_shared_mutex(const basic_shared_mutex&) = delete;
  basic_shared_mutex& operator=(const basic_shared_mutex&) = delete;
  ~basic_shared_mutex() {
    if (line_.has_waiters()) [[unlikely]] {
      detail::fatal("a shared_mutex was destroyed while coroutines waited for it");
    }
  }

  /// Waits until nobody else is in: `auto guard = co_await m.lock();`
  detail::shared_lock_operation<Family> lock() { return operation(lock_mode::exclusive); }
  /// Waits until no writer is in.
  detail::shared_lock_operation<Family> lock_shared() { return operation(lock_mode::shared); }
  /// A guard, which is empty if it would have to wait.
  guard try_lock() { return try_guard(lock_mode::exclusive); }
  guard try_lock_shared() { return try_guard(lock_mode::shared); }

  /// Whether a writer is in.
  bool is_locked() const noexcept { return line_.value() == written; }
  /// How many readers are in.
  std::uint64_t readers() const noexcept {
    const std::uint64_t now = line_.value();
    return now == written ? 0 : now;
  }

 private:
  friend guard;
  friend class detail::shared_lock_awaiter<Family>;

  // The value: how many readers are in, or that a writer is.
  static constexpr std::uint64_t written = std::uint64_t{1} << 60;

  static constexpr detail::next_value take(std::uint64_t now, lock_mode mode) noexcept {
    if (mode == lock_mode::exclusive) {
      return now == 0 ? detail::next_value(written) : detail::next_value::none();
    }
    return now != written ? detail::next_value(now + 1) : detail::next_value::none();
  }
  static constexpr std::uint64_t after_unlock(std::uint64_t now, lock_mode mode) noexcept {
    return mode == lock_mode::exclusive ? 0 : now - 1;
  }

  detail::shared_lock_operation<Family> operation(lock_mode mode) {
    binding_.check("local_shared_mutex");
    return detail::shared_lock_operation<Family>(*this, mode);
  }
  guard try_guard(lock_mode mode) {
    binding_.check("local_shared_mutex");
    if (!line_.take_now([mode](std::uint64_t now) { return take(now, mode); })) {
      return guard();
    }
    if (mode == lock_mode::exclusive) {
      writer_.set_running();
    }
    return guard(*this, mode);
  }
  bool try_lock_now(lock_mode mode) noexcept {
    return line_.try_take([mode](std::uint64_t now) { return take(now, mode); });
  }
  void unlock_held(lock_mode mode) noexcept {
    binding_.check_or_die("a local_shared_mutex was unlocked on another loop than its own");
    if (mode == lock_mode::exclusive) {
      writer_.clear();
    }
    if (!line_.try_give(
            [mode](std::uint64_t now) { return detail::next_value(after_unlock(now, mode)); })) {
      unlock_slowly(mode);
    }
  }
  void unlock_slowly(lock_mode mode) noexcept;
  /// Inside: lets in who can come in now; gives the new value.
  std::uint64_t admit(std::uint64_t now, detail::waiter_queue& woken) noexcept;

  detail::waiting_line<typename Family::word> line_;
  detail::lock_owner writer_;
  [[no_unique_address]] typename Family::binding binding_;
};

using shared_mutex = basic_shared_mutex<detail::any_loop>;
using local_shared_mutex = basic_shared_mutex<detail::one_loop>;

// Compiled in the library.
extern template class detail::shared_lock_awaiter<detail::any_loop>;
extern template class detail::shared_lock_awaiter<detail::one_loop>;
extern template class basic_shared_mutex<detail::any_loop>;
extern template class basic_shared_mutex<detail::one_loop>;

}  // namespace harrier
