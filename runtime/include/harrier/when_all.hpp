// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/fork_group.hpp>
#include <harrier/detail/spawned_children.hpp>
#include <harrier/detail/stored.hpp>
#include <harrier/fork.hpp>
#include <harrier/outcome.hpp>
#include <harrier/runner.hpp>
#include <harrier/task.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier {
namespace detail {

/// How the join of a child is kept: its value, or, if the group goes on, how it ended.
template <class T>
using kept_value = std::optional<stored<T>>;
template <class T>
using kept_outcome = std::optional<outcome<T>>;

/// Whether the group goes on when a child has failed.
template <class Room>
inline constexpr bool keeps_outcomes = false;
template <class T>
inline constexpr bool keeps_outcomes<kept_outcome<T>> = true;

/// The child's error, for a group that ends with it, or keeps it as an outcome and goes on. Called in
/// the catch of a join.
template <class Room>
void keep_error(fork_group& group, Room& room) {
  if constexpr (keeps_outcomes<Room>) {
    room.emplace(std::current_exception());
    if (!room->was_cancelled() || !group.is_cancelled_from_outside()) {
      return;
    }
  }
  group.fail(std::current_exception());
}

/// Joins the children from the last to the one at I, which is the order in which they pop.
template <std::size_t I, class Children, class Rooms>
task<> join_from(fork_group* group, Children* children, Rooms* rooms) {
  if constexpr (I + 1 < std::tuple_size_v<Children>) {
    auto later = join_from<I + 1>(group, children, rooms);
    co_await later;
  }
  auto& child = std::get<I>(*children);
  auto& room = std::get<I>(*rooms);
  using result = typename std::tuple_element_t<I, Children>::value_type;
  if (group->has_failed() && !child.cancel_or_drop()) {
    co_return;
  }
  try {
    if constexpr (std::is_void_v<result>) {
      co_await child;
      room.emplace(stored<result>());
    } else {
      decltype(auto) value = co_await child;
      room.emplace(stored<result>(std::forward<decltype(value)>(value)));
    }
  } catch (...) {  // kept: thrown once all have ended, or an outcome
    keep_error(*group, room);
  }
}

/// The same in one coroutine, for children of one type.
template <class T, class Children, class Rooms>
task<> join_alike(fork_group* group, Children* children, Rooms* rooms, std::size_t count) {
  while (count-- != 0) {
    forked<T>& child = (*children)[count];
    auto& room = (*rooms)[count];
    if (group->has_failed() && !child.cancel_or_drop()) {
      continue;
    }
    try {
      if constexpr (std::is_void_v<T>) {
        co_await child;
        room.emplace(stored<T>());
      } else {
        decltype(auto) value = co_await child;
        room.emplace(stored<T>(std::forward<decltype(value)>(value)));
      }
    } catch (...) {  // kept: thrown once all have ended, or an outcome
      keep_error(*group, room);
    }
  }
}

/// The elements of a tuple, all of one type, by index.
template <class T, std::size_t N>
class elements_of {
 public:
  template <class Tuple>
  explicit elements_of(Tuple& tuple) noexcept {
    std::apply([this](auto&... each) { at_ = {&each...}; }, tuple);
  }
  T& operator[](std::size_t index) const noexcept { return *at_[index]; }

 private:
  std::array<T*, N> at_;
};

template <class First, class... Others>
inline constexpr bool are_alike = (std::is_same_v<First, Others> && ...);

/// Runs the forks of a group to their ends, with what they give in `rooms`.
template <class Rooms, class... Ts>
task<> run_forked(Rooms* rooms, task<Ts>... work) {
  fork_group group;
  using first_room = std::tuple_element_t<0, Rooms>;
  child_group* told = keeps_outcomes<first_room> ? nullptr : &group;
  auto entering = group.enter();
  co_await entering;
  std::tuple<forked<Ts>...> children{fork_now(std::move(work), told)...};
  if constexpr (are_alike<Ts...>) {
    constexpr std::size_t count = sizeof...(Ts);
    using type = std::tuple_element_t<0, std::tuple<Ts...>>;
    const elements_of<forked<type>, count> each_child(children);
    const elements_of<first_room, count> each_room(*rooms);
    auto joined = join_alike<type>(&group, &each_child, &each_room, count);
    co_await joined;
  } else {
    auto joined = join_from<0>(&group, &children, rooms);
    co_await joined;
  }
  group.finish();
}

template <class T, class Room>
task<> run_forked_range(std::vector<Room>* rooms, std::vector<task<T>> work) {
  fork_group group;
  auto entering = group.enter();
  co_await entering;
  std::vector<forked<T>> children;
  children.reserve(work.size());
  child_group* told = keeps_outcomes<Room> ? nullptr : &group;
  for (task<T>& each : work) {
    children.push_back(fork_now(std::move(each), told));
  }
  auto joined = join_alike<T>(&group, &children, rooms, children.size());
  co_await joined;
  group.finish();
}

/// What an ended child of its own task leaves in its room.
template <class T>
void keep_ended(join_handle<T>& child, kept_value<T>& room) {
  room.emplace(keep_result<T>(handle_access::record(child)));
}
template <class T>
void keep_ended(join_handle<T>& child, kept_outcome<T>& room) {
  room.emplace(keep_outcome<T>(handle_access::record(child)));
}

/// The same as run_forked() where there is no worker: each child is a task of its own.
template <class Rooms, class... Ts>
task<> run_spawned(nursery::abort_on when, Rooms* rooms, task<Ts>... work) {
  spawned_children group(when);
  auto entering = group.enter();
  co_await entering;
  std::tuple<join_handle<Ts>...> children{group.start(std::move(work))...};
  auto joining = group.join();
  co_await joining;
  group.check();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const std::size_t decisive = group.decisive();
    // A child that was cancelled for itself: that is what comes out.
    ((I == decisive ? keep_ended(std::get<I>(children), std::get<I>(*rooms)) : void()), ...);
    ((I != decisive ? keep_ended(std::get<I>(children), std::get<I>(*rooms)) : void()), ...);
  }(std::index_sequence_for<Ts...>());
}

template <class T, class Room>
task<> run_spawned_range(nursery::abort_on when, std::vector<Room>* rooms,
                         std::vector<task<T>> work) {
  std::vector<join_handle<T>> children;
  children.reserve(work.size());
  spawned_children group(when);
  auto entering = group.enter();
  co_await entering;
  for (task<T>& each : work) {
    children.push_back(group.start(std::move(each)));
  }
  auto joining = group.join();
  co_await joining;
  group.check();
  if (group.decisive() != nursery::none) {  // a child that was cancelled for itself: that comes out
    keep_ended(children[group.decisive()], (*rooms)[group.decisive()]);
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    keep_ended(children[i], (*rooms)[i]);
  }
}

/// The values in `rooms`, all of which have one.
template <class Value, class Room>
std::vector<Value> unwrap(std::vector<Room>& rooms) {
  std::vector<Value> values;
  values.reserve(rooms.size());
  for (Room& each : rooms) {
    values.push_back(std::move(*each));
  }
  return values;
}
template <class... Values>
std::tuple<Values...> unwrap(std::tuple<std::optional<Values>...>& rooms) {
  return std::apply([](auto&... each) { return std::tuple<Values...>(std::move(*each)...); },
                    rooms);
}

template <class T>
inline constexpr bool is_task_range = false;
template <std::ranges::input_range Range>
inline constexpr bool is_task_range<Range> = is_task<std::ranges::range_value_t<Range>>;

}  // namespace detail

/// Runs all of `work`, side by side where workers are free, and gives the values in order; void
/// becomes std::monostate, a reference a std::reference_wrapper.
///
/// The first that does not end with a value, a cancel included, ends the others: those that have
/// started are cancelled, the rest never start, and all are joined.
///
/// Errors   what the first of them, by the time of its end, threw; what the others threw is dropped.
/// Cancel   cancels and joins all, and is thrown; if a child had failed before, its error is, and the
///          cancel is due at the next suspension.
/// Cost     on a worker each is forked: one that nobody steals costs a push, a pop and an await. On a
///          lone runner each is a task of its own.
template <class... Ts>
task<std::tuple<detail::stored<Ts>...>> when_all(task<Ts>... work) {
  std::tuple<detail::kept_value<Ts>...> rooms;
  if constexpr (sizeof...(Ts) != 0) {
    if (detail::this_slot() != nullptr) {
      auto all = detail::run_forked(&rooms, std::move(work)...);
      co_await all;
    } else {
      auto all = detail::run_spawned(detail::nursery::abort_on::error_or_cancel, &rooms,
                                     std::move(work)...);
      co_await all;
    }
  }
  co_return detail::unwrap(rooms);
}

/// The same for any number of tasks of one type.
template <class T>
  requires(!std::is_void_v<T>)
task<std::vector<detail::stored<T>>> when_all(std::vector<task<T>> work) {
  std::vector<detail::kept_value<T>> rooms(work.size());
  if (detail::this_slot() != nullptr) {
    auto all = detail::run_forked_range(&rooms, std::move(work));
    co_await all;
  } else {
    auto all = detail::run_spawned_range(detail::nursery::abort_on::error_or_cancel, &rooms,
                                         std::move(work));
    co_await all;
  }
  co_return detail::unwrap<detail::stored<T>>(rooms);
}

namespace detail {
/// A handle: no task goes into or out of the binary by value (HARRIER_IN_REGISTERS).
HARRIER_EXPORT std::coroutine_handle<task_promise<void>> when_all_of(std::vector<task<>>& work);
}  // namespace detail

inline task<> when_all(std::vector<task<>> work) {
  return detail::task_access::adopt<void>(detail::when_all_of(work));
}

/// The same for what is in another range, or in a view that makes the tasks.
template <std::ranges::input_range Range>
  requires detail::is_task_range<Range>
auto when_all(Range&& work) {
  std::vector<std::ranges::range_value_t<Range>> tasks;
  for (auto&& each : work) {
    tasks.push_back(std::move(each));
  }
  return when_all(std::move(tasks));
}

/// Runs all of `work` in the same way, lets each end, and gives how: an outcome for each, in order.
///
/// Errors   std::bad_alloc, invalid_task. What a task throws is in its outcome.
/// Cancel   from outside: cancels and joins all, and is thrown. One task's own is its outcome.
template <class... Ts>
task<std::tuple<outcome<Ts>...>> when_all_settled(task<Ts>... work) {
  std::tuple<detail::kept_outcome<Ts>...> rooms;
  if constexpr (sizeof...(Ts) != 0) {
    if (detail::this_slot() != nullptr) {
      auto all = detail::run_forked(&rooms, std::move(work)...);
      co_await all;
    } else {
      auto all =
          detail::run_spawned(detail::nursery::abort_on::nothing, &rooms, std::move(work)...);
      co_await all;
    }
  }
  co_return detail::unwrap(rooms);
}

/// The same for any number of tasks of one type.
template <class T>
task<std::vector<outcome<T>>> when_all_settled(std::vector<task<T>> work) {
  std::vector<detail::kept_outcome<T>> rooms(work.size());
  if (detail::this_slot() != nullptr) {
    auto all = detail::run_forked_range(&rooms, std::move(work));
    co_await all;
  } else {
    auto all =
        detail::run_spawned_range(detail::nursery::abort_on::nothing, &rooms, std::move(work));
    co_await all;
  }
  co_return detail::unwrap<outcome<T>>(rooms);
}

}  // namespace harrier
