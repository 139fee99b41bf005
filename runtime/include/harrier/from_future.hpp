// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/offload.hpp>
#include <harrier/task.hpp>

#include <chrono>
#include <future>
#include <utility>

namespace harrier {
namespace detail {

template <class Future>
auto wait_for_future(Future from) -> task<decltype(from.get())> {
  if (from.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    auto wait = [&from] { from.wait(); };
    auto call = offload_blocking(wait);
    co_await call;
  }
  co_return from.get();
}

}  // namespace detail

/// Waits for a `std::future` on a worker of a runtime, which runs other work meanwhile. A deferred one
/// runs on the pool.
///
/// Errors   what the future holds; std::future_error: it has no state; no_running_loop outside a worker.
/// Cancel   after the future is ready: a std::future cannot be told to stop.
/// Cost     a thread of the blocking pool for as long as it takes, unless it is ready: at most as many
///          as blocking_threads wait at once. Many at a time: use from_callback with a library that
///          calls back.
template <class T>
task<T> from_future(std::future<T> from) {
  return detail::wait_for_future(std::move(from));
}
/// A copy of the value, or the reference.
template <class T>
task<T> from_future(std::shared_future<T> from) {
  auto get = [](std::shared_future<T> owned) -> task<T> {
    auto wait = detail::wait_for_future(std::move(owned));
    if constexpr (std::is_void_v<T>) {
      co_await wait;
    } else {
      auto&& value = co_await wait;
      co_return value;
    }
  };
  return get(std::move(from));
}

}  // namespace harrier
