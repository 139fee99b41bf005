// SPDX-License-Identifier: Apache-2.0
// A coroutine as an input range: for ordinary code, and for code in coroutines that does not wait.
//
// A generator may hand over to others by `co_yield elements_of(...)`. Who iterates resumes the innermost
// one directly, so an element costs the same at any depth, and depth needs no stack.
#pragma once

#include <harrier/detail/execution.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

namespace harrier {

template <class T>
class generator;

/// `co_yield elements_of(std::move(other))`: all that another generator gives, which has not begun.
template <class T>
class [[nodiscard]] elements_of {
 public:
  explicit elements_of(generator<T> from) noexcept : from_(std::move(from)) {}

 private:
  friend class generator<T>;
  generator<T> from_;
};

/// A lazy sequence without waiting: `for (int n : numbers())`. A std::ranges input range, iterated once.
///
/// Lifetime  an element lives until the iterator moves on. Dropped midway, it destroys its locals.
/// Errors    what the body throws comes out of begin() or ++; then the sequence has ended.
/// Threads   one at a time.
/// Cost      a recycled frame; a resumption for each element.
template <class T>
class [[nodiscard]] generator : public std::ranges::view_interface<generator<T>> {
 public:
  class promise_type;
  class iterator;
  using value_type = std::remove_cvref_t<T>;
  using reference = std::add_lvalue_reference_t<T>;

  generator(generator&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  generator& operator=(generator&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~generator() { reset(); }

  /// Runs the body to its first element. Once.
  iterator begin();
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  using handle_type = std::coroutine_handle<promise_type>;
  explicit generator(handle_type handle) noexcept : handle_(handle) {}
  void reset() noexcept {
    if (handle_) {
      handle_.destroy();
    }
  }

  handle_type handle_;
};

template <class T>
class generator<T>::promise_type {
 public:
  promise_type() noexcept {}
  static void* operator new(std::size_t bytes) { return detail::allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    detail::free_frame(frame, bytes);
  }

  generator get_return_object() noexcept { return generator(handle_type::from_promise(*this)); }
  std::suspend_always initial_suspend() const noexcept { return {}; }
  std::suspend_always final_suspend() const noexcept { return {}; }
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }

  /// The element lies in the body's frame, which stands at the co_yield until it is asked again.
  std::suspend_always yield_value(std::remove_reference_t<T>& element) noexcept {
    root_->element_ = std::addressof(element);
    return {};
  }
  std::suspend_always yield_value(std::remove_reference_t<T>&& element) noexcept
    requires(!std::is_reference_v<T>)
  {
    root_->element_ = std::addressof(element);
    return {};
  }

  /// Holds a copy of what must not be changed by who iterates.
  class copy_awaiter {
   public:
    copy_awaiter(const T& element, promise_type& root) : copy_(element) {
      root.element_ = std::addressof(copy_);
    }
    copy_awaiter(const copy_awaiter&) = delete;
    copy_awaiter& operator=(const copy_awaiter&) = delete;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}

   private:
    T copy_;
  };
  copy_awaiter yield_value(const T& element)
    requires(!std::is_reference_v<T> && !std::is_const_v<T> && std::copy_constructible<T>)
  {
    return copy_awaiter(element, *root_);
  }

  /// Goes on when all elements of the inner generator were given; rethrows what it threw.
  class inner_awaiter {
   public:
    inner_awaiter(generator from, promise_type& outer) noexcept
        : from_(std::move(from)), outer_(outer) {}
    inner_awaiter(const inner_awaiter&) = delete;
    inner_awaiter& operator=(const inner_awaiter&) = delete;
    bool await_ready() const noexcept { return !from_.handle_ || from_.handle_.done(); }
    void await_suspend(std::coroutine_handle<>) noexcept {
      promise_type& inner = from_.handle_.promise();
      inner.outer_ = &outer_;
      inner.root_ = outer_.root_;
      outer_.root_->innermost_ = &inner;
    }
    void await_resume() {
      if (from_.handle_) {
        from_.handle_.promise().rethrow_error();
      }
    }

   private:
    generator from_;
    promise_type& outer_;
  };
  inner_awaiter yield_value(elements_of<T> inner) noexcept {
    return inner_awaiter(std::move(inner.from_), *this);
  }

  /// A generator does not wait: use async_generator.
  template <class A>
  void await_transform(A&&) = delete;

 private:
  friend class generator<T>::iterator;

  handle_type handle() noexcept { return handle_type::from_promise(*this); }

  void rethrow_error() {
    if (error_) {
      std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

  /// For the root: runs to the next element, or to its own end.
  void advance() {
    element_ = nullptr;
    do {
      innermost_->handle().resume();
      while (innermost_->handle().done() && innermost_ != this) {
        innermost_ = innermost_->outer_;
        innermost_->handle().resume();
      }
    } while (element_ == nullptr && !handle().done());
    rethrow_error();
  }

  std::remove_reference_t<T>* element_ = nullptr;  // root only
  promise_type* innermost_ = this;  // root only: who gives elements now
  promise_type* root_ = this;
  promise_type* outer_ = nullptr;
  std::exception_ptr error_;
};

template <class T>
class generator<T>::iterator {
 public:
  using value_type = generator::value_type;
  using difference_type = std::ptrdiff_t;

  iterator() noexcept = default;
  explicit iterator(handle_type handle) noexcept : handle_(handle) {}

  reference operator*() const noexcept { return *handle_.promise().element_; }
  iterator& operator++() {
    handle_.promise().advance();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
    return !at.handle_ || at.handle_.done();
  }

 private:
  handle_type handle_;
};

template <class T>
typename generator<T>::iterator generator<T>::begin() {
  iterator first(handle_);
  if (handle_ && !handle_.done()) {
    ++first;
  }
  return first;
}

}  // namespace harrier
