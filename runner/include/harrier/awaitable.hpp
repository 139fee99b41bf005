// SPDX-License-Identifier: Apache-2.0
// What can be awaited, and what comes out of it.
#pragma once

#include <harrier/task.hpp>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace harrier {
namespace detail {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

}  // namespace detail

/// Anything that `co_await` accepts.
template <class A>
concept awaitable = requires(A&& a) {
  { detail::get_awaiter(static_cast<A&&>(a)) } -> detail::awaiter;
} || requires(A&& a) {
  { detail::get_awaiter(static_cast<A&&>(a)) } -> std::same_as<A&&>;
  requires detail::awaiter<A>;
};

/// What `co_await` of an A gives.
template <awaitable A>
using await_result_t = decltype(detail::get_awaiter(std::declval<A>()).await_resume());

namespace detail {

/// Any awaitable as a task; a task as itself.
template <awaitable A>
auto as_task(A&& awaitable) {
  using plain = std::remove_cvref_t<A>;
  if constexpr (is_task<plain>) {
    return plain(std::forward<A>(awaitable));
  } else {
    // The coroutine takes its parameter by value, so that the frame owns the awaitable.
    return [](plain owned) -> task<await_result_t<plain&>> {
      co_return co_await owned;
    }(std::forward<A>(awaitable));
  }
}

}  // namespace detail
}  // namespace harrier
