// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/spawned_children.hpp>
#include <harrier/task.hpp>

#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace harrier {

/// Which of several tasks was first, and its value.
template <class T>
class any_result {
 public:
  any_result(std::size_t first, detail::stored<T> result)
      : index(first), value(std::move(result)) {}
  std::size_t index;
  detail::stored<T> value;
};

namespace detail {

/// The result of the handle at `first`, as that alternative.
template <class Variant, class Handles, std::size_t I = 0>
Variant pick_result(Handles& handles, std::size_t first) {
  if constexpr (I + 1 < std::tuple_size_v<Handles>) {
    if (first != I) {
      return pick_result<Variant, Handles, I + 1>(handles, first);
    }
  }
  auto& handle = std::get<I>(handles);
  using result = typename std::tuple_element_t<I, Handles>::value_type;
  return Variant(std::in_place_index<I>, keep_result<result>(handle_access::record(handle)));
}

}  // namespace detail

/// Runs all of `work` side by side, each as a task of its own, until the first has ended; cancels and
/// joins the others, and gives the value of the first, whose place is the index of the variant. What
/// the others end with is dropped.
///
/// Order    the first by the end of its task.
/// Errors   what the first threw, if it did, a cancel included; std::bad_alloc, invalid_task: those that
///          had started are cancelled and joined.
/// Cancel   cancels and joins all, and is thrown, also if there was a first one meanwhile.
/// Cost     a record and a small block for each task.
template <class... Ts>
  requires(sizeof...(Ts) > 0)
task<std::variant<detail::stored<Ts>...>> when_any(task<Ts>... work) {
  detail::spawned_children children(detail::nursery::abort_on::any_end);
  auto entering = children.enter();
  co_await entering;
  std::tuple<join_handle<Ts>...> handles{children.start(std::move(work))...};
  auto joining = children.join();
  co_await joining;
  children.check();
  co_return detail::pick_result<std::variant<detail::stored<Ts>...>>(handles, children.decisive());
}

/// The same for any number of tasks of one type. Errors: std::invalid_argument for none, too.
template <class T>
task<any_result<T>> when_any(std::vector<task<T>> work) {
  if (work.empty()) {
    throw std::invalid_argument("when_any of no tasks");
  }
  std::vector<join_handle<T>> handles;
  handles.reserve(work.size());
  detail::spawned_children children(detail::nursery::abort_on::any_end);
  auto entering = children.enter();
  co_await entering;
  for (task<T>& each : work) {
    handles.push_back(children.start(std::move(each)));
  }
  auto joining = children.join();
  co_await joining;
  children.check();
  const std::size_t first = children.decisive();
  co_return any_result<T>(first,
                          detail::keep_result<T>(detail::handle_access::record(handles[first])));
}

}  // namespace harrier
