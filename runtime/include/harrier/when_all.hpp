// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/fork_group.hpp>
#include <harrier/detail/group_frames.hpp>
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

/// Where the parent keeps the value of a child, or, if the group goes on after an error, how it ended.
/// A value whose absence needs no word lies there as it is.
template <class T>
using kept_value =
    std::conditional_t<std::is_trivial_v<stored<T>> && std::is_default_constructible_v<stored<T>> &&
                           std::is_move_assignable_v<stored<T>> &&
                           !std::is_same_v<T, bool>,  // vector<bool>
                       stored<T>, std::optional<stored<T>>>;
/// A type of its own: a task's value may be an outcome.
template <class T>
struct kept_outcome : std::optional<outcome<T>> {};

template <class Room>
inline constexpr bool keeps_outcomes = false;
template <class T>
inline constexpr bool keeps_outcomes<kept_outcome<T>> = true;

template <class Room>
inline constexpr group_ends_on ends_on =
    keeps_outcomes<Room> ? group_ends_on::outer_cancel : group_ends_on::any_error;
template <class Room>
inline constexpr nursery::abort_on aborts_on =
    keeps_outcomes<Room> ? nursery::abort_on::nothing : nursery::abort_on::error_or_cancel;

template <class First, class... Others>
inline constexpr bool are_alike = (std::is_same_v<First, Others> && ...);

/// Rooms are filled in place: a value need not be movable twice, nor assignable.
template <class Room, class Value>
void fill_room(Room& room, Value&& value) {
  if constexpr (std::is_trivial_v<Room>) {
    room = std::forward<Value>(value);
  } else {
    room.emplace(std::forward<Value>(value));
  }
}

/// The value of the group's child goes to `room`.
template <class T, class Room>
HARRIER_INLINE inline void keep_value(fork_group& group, Room& room) {
  auto& child = static_cast<task_promise<T>&>(group.current());
  if constexpr (std::is_void_v<T>) {
    fill_room(room, stored<T>());
  } else if constexpr (std::is_reference_v<T>) {
    fill_room(room, stored<T>(child.take_value()));
  } else if constexpr (std::is_nothrow_move_constructible_v<T>) {
    fill_room(room, child.take_value());
  } else {
    try {
      fill_room(room, child.take_value());
    } catch (...) {  // kept: thrown once all have ended, or an outcome
      if constexpr (keeps_outcomes<Room>) {
        room.emplace(std::current_exception());
      } else {
        group.fail(std::current_exception());
      }
    }
  }
}
template <class T, class Room>
HARRIER_NOINLINE void keep_other(fork_group& group, Room& room) {
  if (group.ended_otherwise()) {
    keep_value<T>(group, room);
  } else if constexpr (keeps_outcomes<Room>) {
    if (group.current().result == result_kind::error) {
      room.emplace(group.current().error);
    }
  }
}

/// How the group's child has ended goes to `room`.
template <class T, class Room>
HARRIER_INLINE inline void keep_current(fork_group& group, Room& room) {
  if (group.current().has_plain_value()) [[likely]] {
    keep_value<T>(group, room);
  } else {
    keep_other<T>(group, room);
  }
}

/// The same for each of several types, by index.
template <class Rooms, class... Ts>
inline constexpr auto keepers = []<std::size_t... I>(std::index_sequence<I...>) {
  using keeper = void(fork_group & group, Rooms & rooms);
  return std::array<keeper*, sizeof...(Ts)>{
      [](fork_group& group, Rooms& rooms) { keep_current<Ts>(group, std::get<I>(rooms)); }...};
}(std::index_sequence_for<Ts...>());

/// What an ended child of its own task leaves in its room.
template <class T, class Room>
void keep_ended(join_handle<T>& child, Room& room) {
  if constexpr (keeps_outcomes<Room>) {
    fill_room(room, keep_outcome<T>(handle_access::record(child)));
  } else {
    fill_room(room, keep_result<T>(handle_access::record(child)));
  }
}

/// The same as in run_all() where there is no worker: each child is a task of its own.
template <class Rooms, class... Ts>
task<> run_spawned(nursery::abort_on when, Rooms* rooms, group_frames<Ts...> work) {
  spawned_children group(when);
  auto entering = group.enter();
  co_await entering;
  auto children = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::tuple<join_handle<Ts>...>{group.start(work.template task_at<I>())...};
  }(std::index_sequence_for<Ts...>());
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

/// What is in a room, which has something.
template <class Value>
Value&& unwrap(Value& room) noexcept {
  return std::move(room);
}
template <class Value>
Value&& unwrap(std::optional<Value>& room) noexcept {
  return std::move(*room);
}
template <class T>
outcome<T>&& unwrap(kept_outcome<T>& room) noexcept {
  return std::move(*room);
}
template <class Values, class Rooms>
Values unwrap_each(Rooms& rooms) {
  return std::apply([](auto&... each) { return Values(unwrap(each)...); }, rooms);
}
template <class Values, class Room>
Values unwrap_each(std::vector<Room>& rooms) {
  if constexpr (std::is_same_v<Values, std::vector<Room>>) {
    return std::move(rooms);
  } else {
    Values values;
    values.reserve(rooms.size());
    for (Room& each : rooms) {
      values.push_back(unwrap(each));
    }
    return values;
  }
}

/// when_all() or when_all_settled(), as the rooms say.
template <template <class> class Room, class Values, class... Ts>
task<Values> run_all(group_frames<Ts...> work) {
  using rooms_of_each = std::tuple<Room<Ts>...>;
  using first = std::tuple_element_t<0, std::tuple<Ts...>>;
  constexpr std::size_t count = sizeof...(Ts);
  std::conditional_t<are_alike<Ts...>, std::array<Room<first>, count>, rooms_of_each> rooms{};
  if (this_slot() != nullptr) {
    auto keep = [&rooms](fork_group& group) {
      const std::size_t at = group.current_index();
      if constexpr (are_alike<Ts...>) {
        keep_current<first>(group, rooms[at]);
      } else {
        keepers<rooms_of_each, Ts...>[at](group, rooms);
      }
    };
    fork_group group(ends_on<Room<first>>, keep);
    auto running = group.run(work.release());
    co_await running;
    group.finish();
  } else {
    auto all = run_spawned(aborts_on<Room<first>>, &rooms, std::move(work));
    co_await all;
  }
  co_return unwrap_each<Values>(rooms);
}

template <class Values>
task<Values> run_none() {
  co_return Values();
}

template <class T, class Room>
task<> run_all_of(std::vector<Room>* rooms, std::vector<task<T>> work) {
  if (this_slot() == nullptr) {
    auto all = run_spawned_range(aborts_on<Room>, rooms, std::move(work));
    co_await all;
  } else if (!work.empty()) {
    range_frames frames(work);
    auto keep = [rooms](fork_group& group) {
      keep_current<T>(group, (*rooms)[group.current_index()]);
    };
    fork_group group(ends_on<Room>, keep);
    auto running = group.run(frames.all());
    co_await running;
    group.finish();
  }
}

/// The same for a range.
template <class Room, class Values, class T>
task<Values> run_all_in(std::vector<task<T>> work) {
  std::vector<Room> rooms(work.size());
  auto all = run_all_of(&rooms, std::move(work));
  co_await all;
  co_return unwrap_each<Values>(rooms);
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
/// Cancel   cancels and joins all, and is thrown, also if a child answers it with a value; if a child had
///          failed before, or on a worker fails in answer to it, its error is, and the cancel is due at
///          the next suspension. On a worker the children are told in the order of the joins, from the
///          last: the next one when the one before has ended, and one that has not started never does. A
///          child that is not stolen runs in the caller's task: if it takes the cancel back
///          (`uncancel`), all go on.
/// Cost     on a worker each is forked: one that nobody steals costs a push, a pop and an await. On a
///          lone runner each is a task of its own.
template <class... Ts>
task<std::tuple<detail::stored<Ts>...>> when_all(task<Ts>... work) {
  using values = std::tuple<detail::stored<Ts>...>;
  if constexpr (sizeof...(Ts) == 0) {
    return detail::run_none<values>();
  } else {
    return detail::run_all<detail::kept_value, values>(detail::group_frames<Ts...>(work...));
  }
}

/// The same for any number of tasks of one type.
template <class T>
  requires(!std::is_void_v<T>)
task<std::vector<detail::stored<T>>> when_all(std::vector<task<T>> work) {
  using values = std::vector<detail::stored<T>>;
  return detail::run_all_in<detail::kept_value<T>, values>(std::move(work));
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
/// Cancel   from outside: cancels and joins all, as when_all() does, and is thrown, whatever they make of
///          it; what they threw is dropped. One task's own is its outcome.
template <class... Ts>
task<std::tuple<outcome<Ts>...>> when_all_settled(task<Ts>... work) {
  using values = std::tuple<outcome<Ts>...>;
  if constexpr (sizeof...(Ts) == 0) {
    return detail::run_none<values>();
  } else {
    return detail::run_all<detail::kept_outcome, values>(detail::group_frames<Ts...>(work...));
  }
}

/// The same for any number of tasks of one type.
template <class T>
task<std::vector<outcome<T>>> when_all_settled(std::vector<task<T>> work) {
  return detail::run_all_in<detail::kept_outcome<T>, std::vector<outcome<T>>>(std::move(work));
}

}  // namespace harrier
