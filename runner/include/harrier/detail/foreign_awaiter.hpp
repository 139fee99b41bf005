// SPDX-License-Identifier: Apache-2.0
// Awaiting what other libraries offer: anything with the awaiter protocol.
//
// The other library gets the handle of a small proxy coroutine instead of ours. Whoever resumes it,
// on whatever thread and at whatever depth, only wakes our coroutine on its own loop: so a foreign
// resumption neither nests on the stack nor moves a task to a thread that runs no loop.
// Cancel: a foreign wait cannot be withdrawn, so a cancel is delivered at the next suspension after
// it.
#pragma once

#include <harrier/detail/execution.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/detail/transfer.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace harrier::detail {

/// Awaitables of this library say so by a member type, and are awaited without a proxy.
template <class A>
concept native_awaitable = requires { typename std::remove_cvref_t<A>::harrier_native; };

template <class A>
concept awaiter = requires(A& a) {
  { a.await_ready() } -> std::convertible_to<bool>;
  a.await_resume();
};

template <class A>
decltype(auto) get_awaiter(A&& a) {
  if constexpr (requires { static_cast<A&&>(a).operator co_await(); }) {
    return static_cast<A&&>(a).operator co_await();
  } else if constexpr (requires { operator co_await(static_cast<A&&>(a)); }) {
    return operator co_await(static_cast<A&&>(a));
  } else {
    return static_cast<A&&>(a);
  }
}

/// Wakes a suspension when resumed, and is gone then.
class wake_proxy {
 public:
  class promise_type {
   public:
    promise_type() noexcept {}
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
      free_frame(frame, bytes);
    }
    wake_proxy get_return_object() noexcept { return wake_proxy(*this); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };

  HARRIER_EXPORT static wake_proxy of(suspension* node);

  std::coroutine_handle<> handle() const noexcept { return handle_; }

 private:
  explicit wake_proxy(promise_type& promise) noexcept
      : handle_(std::coroutine_handle<promise_type>::from_promise(promise)) {}
  std::coroutine_handle<> handle_;
};

template <class A>
class [[nodiscard]] foreign_awaiter final : public suspension {
 public:
  explicit foreign_awaiter(A&& awaitable)
      : suspension(operations_table), inner_(get_awaiter(static_cast<A&&>(awaitable))) {}

  foreign_awaiter(const foreign_awaiter&) = delete;
  foreign_awaiter& operator=(const foreign_awaiter&) = delete;
  ~foreign_awaiter() { drop_proxy(); }

  bool await_ready() { return inner_.await_ready(); }

  template <class Promise>
  HARRIER_PUBLISHES std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "co_await of a foreign awaitable");
    if (!begin_wait()) {
      refused_ = true;
      return handle;
    }
    try {
      proxy_ = wake_proxy::of(this).handle();
      const std::coroutine_handle<> proxy = proxy_;
      using returned = decltype(inner_.await_suspend(proxy));
      if constexpr (std::is_void_v<returned>) {
        inner_.await_suspend(proxy);
        return std::noop_coroutine();
      } else if constexpr (std::is_same_v<returned, bool>) {
        if (inner_.await_suspend(proxy)) {
          return std::noop_coroutine();
        }
      } else {
        const std::coroutine_handle<> target = inner_.await_suspend(proxy);
        if (target != proxy) {
          return transfer(target);
        }
      }
    } catch (...) {  // the operation never started: undone, and thrown in the coroutine
      drop_proxy();
      if (!abandon_wait()) {
        return std::noop_coroutine();
      }
      throw;
    }
    drop_proxy();  // the operation is over already
    if (abandon_wait()) {
      return handle;
    }
    return std::noop_coroutine();
  }

  decltype(auto) await_resume() {
    proxy_ = {};  // it ended when it woke us
    if (refused_) {
      deliver_cancel();
    }
    return inner_.await_resume();
  }

 private:
  static withdrawal withdraw(ready_node&) noexcept { return withdrawal::too_late; }
  static constexpr ready_operations operations_table =
      suspension::wait_table("a foreign awaitable", withdraw);

  void drop_proxy() noexcept {
    if (proxy_) {
      std::exchange(proxy_, {}).destroy();
    }
  }

  decltype(get_awaiter(std::declval<A>())) inner_;
  std::coroutine_handle<> proxy_;
  bool refused_ = false;
};

}  // namespace harrier::detail
