// SPDX-License-Identifier: Apache-2.0
// A result that somebody will set, for any number of tasks of one loop that wait for it.
//
// Threads     the loop's own, or, while nobody runs it, the thread that owns its runner.
// Invariant 1 the state leaves `pending` once.
// Invariant 2 whoever waits, and each callback, is queued in the order in which it came; nothing is
//             resumed or called inside set_value().
#pragma once

#include <harrier/cancellation.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/event_loop.hpp>
#include <harrier/sync/errors.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace harrier {

/// A future was asked for a result that it does not have yet, or was given a second one.
class HARRIER_EXPORT invalid_state : public std::logic_error {
 public:
  explicit invalid_state(const char* what);
};

/// Whoever was to give a result has gone without giving one.
class HARRIER_EXPORT broken_promise : public std::runtime_error {
 public:
  broken_promise();
};

template <class T>
class future;
template <class T>
class promise;

namespace detail {

/// One who wants to know: a waiting task, or a callback.
struct future_listener {
  explicit future_listener(void (*call)(future_listener&) noexcept) noexcept : notify(call) {}
  future_listener(const future_listener&) = delete;
  future_listener& operator=(const future_listener&) = delete;
  /// The listener has left the list, and may be gone afterwards.
  void (*notify)(future_listener& self) noexcept;
  future_listener* previous = nullptr;
  future_listener* following = nullptr;
};

class HARRIER_EXPORT future_state {
 public:
  enum class phase : std::uint8_t { pending, finished, cancelled };

  explicit future_state(event_loop& loop);
  future_state(const future_state&) = delete;
  future_state& operator=(const future_state&) = delete;
  /// Reports an error that nobody has taken.
  ~future_state();

  /// Throws foreign_loop unless this thread may touch the state.
  void check_thread(const char* call) const;
  bool is_done() const noexcept { return phase_ != phase::pending; }
  bool is_cancelled() const noexcept { return phase_ == phase::cancelled; }
  bool has_error() const noexcept { return error_ != nullptr; }
  /// Throws invalid_state unless it is pending, or, the second, unless it is done.
  void check_pending() const;
  void check_done() const;

  void finish() noexcept;
  void fail(std::exception_ptr error) noexcept;
  bool cancel(std::string message);
  void set_cancelled(std::shared_ptr<const std::string> message) noexcept;
  /// The last promise has gone.
  void abandon() noexcept;

  /// Throws the cancel or the error, which then counts as taken.
  void rethrow();
  std::exception_ptr take_exception();
  const std::shared_ptr<const std::string>& cancel_message() const noexcept { return message_; }

  void add(future_listener& listener) noexcept;
  void remove(future_listener& listener) noexcept;
  void add_callback(std::function<void()> callback, const void* owner);
  std::size_t remove_callbacks(const void* owner) noexcept;
  event_loop& loop() noexcept { return *loop_; }

 private:
  class callback;
  void tell_all() noexcept;

  event_loop* loop_;
  std::shared_ptr<const event_loop::exception_handler> handler_;
  phase phase_ = phase::pending;
  bool is_unseen_ = false;  // an error that nobody has taken
  std::exception_ptr error_;
  std::shared_ptr<const std::string> message_;
  future_listener* first_ = nullptr;
  future_listener* last_ = nullptr;
};

template <class T>
class future_state_of final : public future_state {
 public:
  using future_state::future_state;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value;
};

/// A task that waits for a future.
class HARRIER_EXPORT future_suspension : public suspension, private future_listener {
 public:
  explicit future_suspension(future_state& state) noexcept;

  bool await_ready() const {
    state_.check_thread("co_await of a future");
    return state_.is_done();
  }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "co_await of a future");
    return publish();
  }

 protected:
  future_state& state_;

 private:
  bool publish() noexcept;
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static void told(future_listener& self) noexcept;
  static const ready_operations operations_table;
};

/// Gives a reference, for an lvalue, or a copy.
template <class T, bool copies>
class [[nodiscard]] future_awaiter final : public future_suspension {
 public:
  using result =
      std::conditional_t<std::is_void_v<T>, void,
                         std::conditional_t<copies, T, std::add_lvalue_reference_t<const T>>>;

  explicit future_awaiter(std::shared_ptr<future_state_of<T>> state) noexcept
      : future_suspension(*state), held_(std::move(state)) {}

  result await_resume() {
    deliver_cancel();
    state_.rethrow();
    if constexpr (!std::is_void_v<T>) {
      return *held_->value;
    }
  }

 private:
  std::shared_ptr<future_state_of<T>> held_;
};

}  // namespace detail

/// A result to come, as seen by those who want it. Copies refer to the same one.
///
/// Awaited as often as you like: `const T&` of an lvalue, which lives as long as any of its futures and
/// promises, or a copy of a temporary.
///
/// Threads   one loop's, on which the promise was made: on another one foreign_loop is thrown. In a
///           runtime that means tasks bound to one worker; between workers use a channel.
/// Order     tasks that wait and callbacks are queued in the order in which they came.
/// Errors    what was set; broken_promise; an error that nobody takes is reported when the last copy goes.
/// Cancel    of a task that waits: at once, and only that task. cancel() is for all of them.
template <class T>
class [[nodiscard]] future {
 public:
  using value_type = T;
  using harrier_native = void;

  bool done() const { return state("done").is_done(); }
  bool is_cancelled() const { return state("is_cancelled").is_cancelled(); }

  /// The value, or a throw of the error or `cancelled`. Throws invalid_state while it is pending.
  std::conditional_t<std::is_void_v<T>, void, std::add_lvalue_reference_t<const T>> result() const {
    detail::future_state& held = state("result");
    held.check_done();
    held.rethrow();
    if constexpr (!std::is_void_v<T>) {
      return *state_->value;
    }
  }

  /// The error, or null: it has a value. Throws `cancelled`, and invalid_state while it is pending.
  std::exception_ptr exception() const { return state("exception").take_exception(); }

  /// Ends it: everyone who waits gets `cancelled`, and a value comes too late. False: it was done.
  bool cancel(std::string message = {}) { return state("cancel").cancel(std::move(message)); }

  /// Queues `callback(future)` once it is done, now if it is. `owner` is for remove_done_callbacks().
  template <class F>
  void add_done_callback(F callback, const void* owner = nullptr) {
    auto call = [self = std::weak_ptr<detail::future_state_of<T>>(state_),
                 function = std::move(callback)]() mutable {
      if (auto held = self.lock()) {
        function(future(std::move(held)));
      }
    };
    state("add_done_callback").add_callback(std::move(call), owner);
  }
  /// Takes back the callbacks of `owner` that were not queued yet; says how many there were.
  std::size_t remove_done_callbacks(const void* owner) {
    return state("remove_done_callbacks").remove_callbacks(owner);
  }

  detail::future_awaiter<T, false> operator co_await() const& noexcept {
    return detail::future_awaiter<T, false>(state_);
  }
  detail::future_awaiter<T, true> operator co_await() && noexcept {
    return detail::future_awaiter<T, true>(std::move(state_));
  }

 private:
  friend class promise<T>;
  explicit future(std::shared_ptr<detail::future_state_of<T>> state) noexcept
      : state_(std::move(state)) {}

  detail::future_state& state(const char* call) const {
    state_->check_thread(call);
    return *state_;
  }

  std::shared_ptr<detail::future_state_of<T>> state_;
};

/// Who sets the result of a future, once. Dropped without it, the future gets broken_promise.
///
/// Threads   as of the future.
/// Errors    invalid_state: it is done already, and nothing changes. foreign_loop.
template <class T>
class promise {
 public:
  /// For the running loop. Throws no_running_loop.
  promise() : promise(this_loop()) {}
  explicit promise(event_loop& loop) : state_(std::make_shared<detail::future_state_of<T>>(loop)) {}
  promise(promise&& other) noexcept : state_(std::move(other.state_)) {}
  promise& operator=(promise&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~promise() { abandon(); }

  future<T> get_future() const noexcept { return future<T>(state_); }

  template <class U = T>
    requires(!std::is_void_v<T>) && std::constructible_from<T, U&&>
  void set_value(U&& value) {
    pending("set_value").value.emplace(std::forward<U>(value));
    state_->finish();
  }
  void set_value()
    requires std::is_void_v<T>
  {
    pending("set_value").finish();
  }
  void set_exception(std::exception_ptr error) { pending("set_exception").fail(std::move(error)); }

  /// Takes the outcome of `other`, which is done; if this one is done already, nothing changes.
  void set_from(const future<T>& other) {
    detail::future_state_of<T>& from = *other.state_;
    from.check_thread("set_from");
    from.check_done();
    state_->check_thread("set_from");
    if (state_->is_done()) {
      return;
    }
    if (from.is_cancelled()) {
      state_->set_cancelled(from.cancel_message());
    } else if (from.has_error()) {
      state_->fail(from.take_exception());
    } else {
      state_->value = from.value;
      state_->finish();
    }
  }

 private:
  detail::future_state_of<T>& pending(const char* call) const {
    state_->check_thread(call);
    state_->check_pending();
    return *state_;
  }
  void abandon() noexcept {
    if (state_ != nullptr) {
      state_->abandon();
    }
  }

  std::shared_ptr<detail::future_state_of<T>> state_;
};

}  // namespace harrier
