// SPDX-License-Identifier: Apache-2.0
// Awaiting an interface that calls back: a C library, another thread, another framework.
//
// Protocol    `meeting` of the state: null -> the waiter    by the waiter
//                                     null, waiter -> over  by whoever resolves; it wakes the waiter
//                                     waiter -> null        by a cancel, on the loop of the wait
//             A result that comes after a cancel stays in the state, and goes with its last resolver.
#pragma once

#include <harrier/detail/promise.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/future.hpp>

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier {
namespace detail {

class HARRIER_EXPORT callback_state {
 public:
  /// The claim to give the result. False: somebody was first. Any thread.
  bool claim() noexcept {
    // relaxed: what is given is published by settle()
    return !claimed_.exchange(true, std::memory_order_relaxed);
  }
  /// The result, or `error`, is in place: wakes who waits. By the one that has the claim.
  void settle() noexcept;
  bool is_settled() const noexcept;
  /// False: it is settled already.
  bool wait_with(suspension& waiter) noexcept;
  bool withdraw(suspension& waiter) noexcept;

  std::exception_ptr error;  ///< by the one that has the claim, until it is settled

 private:
  std::atomic<bool> claimed_{false};
  std::atomic<suspension*> meeting_{nullptr};
};

template <class T>
class callback_state_of final : public callback_state {
 public:
  ~callback_state_of() = default;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value;
};

class HARRIER_EXPORT callback_suspension : public suspension {
 protected:
  callback_suspension() noexcept : suspension(operations_table) {}
  bool publish(callback_state& state) noexcept;

 private:
  static withdrawal withdraw(ready_node& node) noexcept;
  static const ready_operations operations_table;
  callback_state* state_ = nullptr;
};

HARRIER_EXPORT void break_promise(callback_state& state) noexcept;

}  // namespace detail

/// Gives the result that a coroutine waits for, once; on any thread. Copies share the one chance; when
/// the last copy goes without using it, the coroutine gets broken_promise.
template <class T>
class resolver {
 public:
  explicit resolver(std::shared_ptr<detail::callback_state_of<T>> state)
      : last_(std::make_shared<last>(std::move(state))) {}

  /// False: it was resolved before, and nothing changes. What making the T throws, the coroutine gets.
  template <class U = T>
    requires(!std::is_void_v<T>) && std::constructible_from<T, U&&>
  bool operator()(U&& value) const {
    return settle([&](auto& state) { state.value.emplace(std::forward<U>(value)); });
  }
  bool operator()() const
    requires std::is_void_v<T>
  {
    return settle([](auto&) {});
  }
  /// The same with an error.
  bool fail(std::exception_ptr error) const {
    return settle([&](auto& state) { state.error = std::move(error); });
  }

 private:
  struct last {
    explicit last(std::shared_ptr<detail::callback_state_of<T>> of) noexcept
        : state(std::move(of)) {}
    last(const last&) = delete;
    last& operator=(const last&) = delete;
    ~last() { detail::break_promise(*state); }
    std::shared_ptr<detail::callback_state_of<T>> state;
  };

  template <class F>
  bool settle(F put) const {
    detail::callback_state_of<T>& state = *last_->state;
    if (!state.claim()) {
      return false;
    }
    try {
      put(state);
    } catch (...) {  // thrown where it is awaited
      state.error = std::current_exception();
    }
    state.settle();
    return true;
  }

  std::shared_ptr<last> last_;
};

namespace detail {

template <class T, class Start>
class [[nodiscard]] callback_awaiter final : public callback_suspension {
 public:
  explicit callback_awaiter(Start& start)
      : start_(start), state_(std::make_shared<callback_state_of<T>>()) {}

  bool await_ready() {
    start_(resolver<T>(state_));
    return state_->is_settled();
  }
  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "from_callback");
    return publish(*state_);
  }
  T await_resume() {
    deliver_cancel();
    if (state_->error) {
      std::rethrow_exception(state_->error);
    }
    if constexpr (!std::is_void_v<T>) {
      return std::move(*state_->value);
    }
  }

 private:
  Start& start_;
  std::shared_ptr<callback_state_of<T>> state_;
};

template <class T, class Start>
class [[nodiscard]] callback_operation {
 public:
  using harrier_native = void;

  explicit callback_operation(Start start) : start_(std::move(start)) {}
  callback_awaiter<T, Start> operator co_await() & { return callback_awaiter<T, Start>(start_); }
#if defined(HARRIER_DESTROYS_AWAITED_TEMPORARIES_TWICE)
  /// g++ before 13 destroys a callable in an awaited temporary twice. Use the two-statement form.
  callback_awaiter<T, Start> operator co_await() &&
    requires std::is_trivially_destructible_v<Start>
  {
    return callback_awaiter<T, Start>(start_);
  }
  template <class Two_statement_form_needed = Start>
    requires(!std::is_trivially_destructible_v<Two_statement_form_needed>)
  void operator co_await() && = delete;
#else
  callback_awaiter<T, Start> operator co_await() && { return callback_awaiter<T, Start>(start_); }
#endif

 private:
  Start start_;
};

}  // namespace detail

/// Calls `start(resolve)` when it is awaited, and waits until `resolve` was called with the T, here or
/// on any other thread, now or later: `auto op = from_callback<int>([&](auto resolve) {...});`
///
/// Errors   what `start` throws; what `resolve.fail()` was given; broken_promise: every copy of
///          `resolve` has gone unused.
/// Cancel   at once; a result that comes later is dropped.
/// Cost     two allocations.
template <class T, class Start>
detail::callback_operation<T, std::decay_t<Start>> from_callback(Start&& start) {
  return detail::callback_operation<T, std::decay_t<Start>>(std::forward<Start>(start));
}

}  // namespace harrier
