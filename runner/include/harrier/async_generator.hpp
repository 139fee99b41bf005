// SPDX-License-Identifier: Apache-2.0
// A coroutine that gives values one after the other, and may wait between them.
//
// Each next() is an await like that of a child: the body runs inside the awaiting task, so a cancel
// of that task reaches what the body waits for, and the record is the task's. Between two next() the
// body stands at a co_yield, waits for nothing and is known to no loop: its owner alone has it.
#pragma once

#include <harrier/detail/promise.hpp>

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace harrier {

/// What a generator sees at its `co_yield` when it is closed. Not a `std::exception`. A body that
/// catches it ends without a further `co_yield`.
class HARRIER_EXPORT generator_exit {
 public:
  generator_exit() noexcept = default;
};

/// `next()` or `close()` of a generator whose body is already running for somebody.
class HARRIER_EXPORT generator_running : public std::logic_error {
 public:
  generator_running();
};

/// A generator went on to its next `co_yield` although it was closed. The value is lost; the
/// generator stays open.
class HARRIER_EXPORT generator_ignored_close : public std::logic_error {
 public:
  generator_ignored_close();
};

template <class T>
class async_generator;

namespace detail {

/// What does not depend on the type that is yielded.
class generator_promise : public promise_base {
 public:
  enum class phase : std::uint8_t {
    unstarted,
    at_yield,
    running,  ///< for a next()
    closing,  ///< running, after a close()
  };

  /// Hands control back to who asked.
  class yield_awaiter {
   public:
    explicit yield_awaiter(generator_promise& self) noexcept : self_(self) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
      return transfer(self_.continuation);
    }
    void await_resume() const {
      if (self_.now == phase::closing) [[unlikely]] {
        throw generator_exit();
      }
    }

   private:
    generator_promise& self_;
  };

  generator_promise() noexcept {}

  final_awaiter final_suspend() const noexcept { return final_awaiter(); }
  void return_void() noexcept { result = result_kind::value; }

  void unhandled_exception() noexcept {
    if (now == phase::closing) {
      try {
        throw;
      } catch (const generator_exit&) {  // it did what close() asked for
        result = result_kind::value;
        return;
      } catch (...) {  // an error like any other
      }
    }
    set_error(std::current_exception());
  }

  bool ended() const noexcept { return result != result_kind::none; }
  bool is_running() const noexcept { return !ended() && now >= phase::running; }

  /// Runs the body for `parent`, as its child.
  std::coroutine_handle<> run_for(std::coroutine_handle<> parent, promise_base& promise, phase how,
                                  std::coroutine_handle<> self) noexcept {
    continuation = parent;
    started_as = role::awaited;
    chain = reinterpret_cast<std::uintptr_t>(&promise.chain_root());
    now = how;
    return transfer(self);
  }

  phase now = phase::unstarted;
};

template <class T>
class async_generator_promise final : public generator_promise {
 public:
  using item = std::optional<T>;

  async_generator_promise() noexcept {}
  async_generator<T> get_return_object() noexcept;

  template <class U = T>
    requires std::constructible_from<T, U&&>
  yield_awaiter yield_value(U&& value) {
    value_.emplace(std::forward<U>(value));
    return yield_awaiter(*this);
  }

  item take() {
    item taken = std::move(value_);
    value_.reset();
    return taken;
  }

 private:
  item value_;
};

template <class T>
class async_generator_promise<T&> final : public generator_promise {
 public:
  using item = T*;

  async_generator_promise() noexcept {}
  async_generator<T&> get_return_object() noexcept;

  yield_awaiter yield_value(T& value) noexcept {
    value_ = std::addressof(value);
    return yield_awaiter(*this);
  }

  item take() noexcept { return std::exchange(value_, nullptr); }

 private:
  item value_ = nullptr;
};

/// What next() and close() have in common. Refers to the generator's handle.
template <class T>
class generator_step {
 public:
  using handle_type = std::coroutine_handle<async_generator_promise<T>>;

  explicit generator_step(handle_type& of) noexcept : handle_(of) {}
  generator_step(const generator_step&) = delete;
  generator_step& operator=(const generator_step&) = delete;

 protected:
  /// Whether there is nothing to run: the body has ended, or there is none.
  bool is_over() const {
    if (!handle_) {
      return true;
    }
    if (handle_.promise().is_running()) [[unlikely]] {
      throw generator_running();
    }
    return handle_.promise().ended();
  }

  template <class Parent>
  std::coroutine_handle<> run_for(std::coroutine_handle<Parent> parent,
                                  generator_promise::phase how) noexcept {
    static_assert(std::derived_from<Parent, promise_base>,
                  "an async_generator is awaited from harrier's coroutines");
    return handle_.promise().run_for(parent, parent.promise(), how, handle_);
  }

  handle_type& handle_;
};

template <class T>
class [[nodiscard]] next_awaiter final : public generator_step<T> {
 public:
  using generator_step<T>::generator_step;

  bool await_ready() const { return this->is_over(); }

  template <class Parent>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) noexcept {
    return this->run_for(parent, generator_promise::phase::running);
  }

  typename async_generator_promise<T>::item await_resume() {
    if (!this->handle_) {
      return {};
    }
    auto& promise = this->handle_.promise();
    promise.now = generator_promise::phase::at_yield;
    promise.rethrow_error();
    return promise.take();
  }
};

template <class T>
class [[nodiscard]] close_awaiter final : public generator_step<T> {
 public:
  using generator_step<T>::generator_step;

  bool await_ready() {
    if (this->is_over()) {
      return true;
    }
    if (this->handle_.promise().now == generator_promise::phase::unstarted) {
      std::exchange(this->handle_, {}).destroy();  // nothing to unwind but the parameters
      return true;
    }
    return false;
  }

  template <class Parent>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) noexcept {
    return this->run_for(parent, generator_promise::phase::closing);
  }

  void await_resume() {
    if (!this->handle_) {
      return;
    }
    auto& promise = this->handle_.promise();
    promise.now = generator_promise::phase::at_yield;
    promise.rethrow_error();
    if (!promise.ended()) {
      promise.take();
      throw generator_ignored_close();
    }
  }
};

/// What next() and close() give: awaited once, and before the generator goes or moves.
template <class T, template <class> class Awaiter>
class [[nodiscard]] generator_operation {
 public:
  using harrier_native = void;
  using handle_type = std::coroutine_handle<async_generator_promise<T>>;

  explicit generator_operation(handle_type& of) noexcept : handle_(&of) {}
  Awaiter<T> operator co_await() const noexcept { return Awaiter<T>(*handle_); }

 private:
  handle_type* handle_;
};

}  // namespace detail

/// A lazy sequence: a coroutine that gives values by `co_yield` and may `co_await` between them.
///
///     while (auto item = co_await numbers.next()) { use(*item); }
///
/// The body starts with the first `next()`. It runs inside the task that awaits, which may be another
/// one each time; one at a time. T may be a value, or a reference to what lives until the next `next()`.
///
/// Lifetime  owns the body's frame: dropped, or left when its task unwinds, it destroys the frame where
///           it stands, with all locals. Cleanup that must wait needs `co_await g.close()` before.
/// Errors    what the body throws comes out of `next()`, once; then the sequence has ended.
///           generator_running: the body already runs for somebody else.
/// Cancel    of the awaiting task: delivered where the body waits, and comes out of `next()` unless
///           the body catches it.
/// Cost      a recycled frame; for each value two transfers and a move.
template <class T>
class [[nodiscard]] async_generator {
 public:
  using promise_type = detail::async_generator_promise<T>;
  using value_type = std::remove_cvref_t<T>;

  async_generator(async_generator&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  async_generator& operator=(async_generator&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~async_generator() { reset(); }

  /// Runs the body to its next `co_yield`: `std::optional<T>`, or `T*` to a reference that was
  /// yielded; empty at the end, and from then on.
  detail::generator_operation<T, detail::next_awaiter> next() noexcept {
    return detail::generator_operation<T, detail::next_awaiter>(handle_);
  }

  /// Ends the sequence: `generator_exit` is thrown at the `co_yield` where the body stands, and the
  /// body runs to its end, cleanup that waits included. A body that never started never does.
  ///
  /// Errors   what the body throws instead; generator_ignored_close; generator_running.
  detail::generator_operation<T, detail::close_awaiter> close() noexcept {
    return detail::generator_operation<T, detail::close_awaiter>(handle_);
  }

 private:
  friend promise_type;
  explicit async_generator(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  void reset() noexcept {
    if (handle_) {
      handle_.destroy();
    }
  }

  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class T>
async_generator<T> async_generator_promise<T>::get_return_object() noexcept {
  return async_generator<T>(std::coroutine_handle<async_generator_promise<T>>::from_promise(*this));
}

template <class T>
async_generator<T&> async_generator_promise<T&>::get_return_object() noexcept {
  return async_generator<T&>(
      std::coroutine_handle<async_generator_promise<T&>>::from_promise(*this));
}

}  // namespace detail
}  // namespace harrier
