// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/fork.hpp>
#include <harrier/runner.hpp>
#include <harrier/task.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace harrier {
namespace detail {

template <class T>
using stored =
    std::conditional_t<std::is_void_v<T>, std::monostate,
                       std::conditional_t<std::is_reference_v<T>,
                                          std::reference_wrapper<std::remove_reference_t<T>>, T>>;

/// Joins the children from the last to the one at I, which is the order in which they pop. All three
/// are in the frame of the when_all() that awaits this.
template <std::size_t I, class Children, class Results>
task<> join_from(Children* children, Results* results, std::exception_ptr* error) {
  if constexpr (I + 1 < std::tuple_size_v<Children>) {
    auto later = join_from<I + 1>(children, results, error);
    co_await later;
  }
  try {
    auto& child = std::get<I>(*children);
    if constexpr (std::is_void_v<typename std::tuple_element_t<I, Children>::value_type>) {
      co_await child;
      std::get<I>(*results).emplace();
    } else {
      decltype(auto) value = co_await child;
      std::get<I>(*results).emplace(std::forward<decltype(value)>(value));
    }
  } catch (...) {  // kept: rethrown once all have ended; the first by position wins
    *error = std::current_exception();
  }
}

template <class... Results>
std::tuple<Results...> unwrap(std::tuple<std::optional<Results>...>& results) {
  return std::apply([](auto&... each) { return std::tuple<Results...>(std::move(*each)...); },
                    results);
}

}  // namespace detail

/// Runs all of `work`, side by side where workers are free, and gives the results in order; void
/// becomes std::monostate.
/// Errors   the first to fail by position, after all of them have ended.
template <class... Ts>
task<std::tuple<detail::stored<Ts>...>> when_all(task<Ts>... work) {
  std::tuple<std::optional<detail::stored<Ts>>...> results;
  std::exception_ptr error;
  if constexpr (sizeof...(Ts) != 0) {
    if (detail::this_slot() != nullptr) {
      std::tuple<forked<Ts>...> children{detail::fork_now(std::move(work))...};
      auto joined = detail::join_from<0>(&children, &results, &error);
      co_await joined;
    } else {  // a lone runner: side by side as tasks of its loop
      std::tuple<join_handle<Ts>...> children{spawn(std::move(work))...};
      auto joined = detail::join_from<0>(&children, &results, &error);
      co_await joined;
    }
  }
  if (error) {
    std::rethrow_exception(error);
  }
  co_return detail::unwrap(results);
}

/// The same for any number of tasks of one type.
template <class T>
  requires(!std::is_void_v<T>)
task<std::vector<T>> when_all(std::vector<task<T>> work) {
  if (detail::this_slot() == nullptr) {
    auto all = detail::run_each(std::move(work));
    std::vector<T> given = co_await all;
    co_return given;
  }
  std::vector<forked<T>> children;
  children.reserve(work.size());
  std::vector<std::optional<T>> results(work.size());
  for (task<T>& each : work) {
    children.push_back(detail::fork_now(std::move(each)));
  }
  std::exception_ptr error;
  while (!children.empty()) {
    try {
      results[children.size() - 1].emplace(co_await children.back());
    } catch (...) {  // kept: rethrown once all have ended; the first by position wins
      error = std::current_exception();
    }
    children.pop_back();
  }
  if (error) {
    std::rethrow_exception(error);
  }
  std::vector<T> values;
  values.reserve(results.size());
  for (std::optional<T>& each : results) {
    values.push_back(std::move(*each));
  }
  co_return values;
}

namespace detail {
/// A handle: no task goes into or out of the binary by value (HARRIER_IN_REGISTERS).
HARRIER_EXPORT std::coroutine_handle<task_promise<void>> when_all_of(std::vector<task<>>& work);
}  // namespace detail

inline task<> when_all(std::vector<task<>> work) {
  return detail::task_access::adopt<void>(detail::when_all_of(work));
}

}  // namespace harrier
