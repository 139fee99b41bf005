// SPDX-License-Identifier: Apache-2.0
// Frames on their way from the tasks that a when_all() is given to its fork_group: of arguments, and of a
// range.
#pragma once

#include <harrier/detail/context_word.hpp>
#include <harrier/detail/fork_group.hpp>
#include <harrier/fork.hpp>
#include <harrier/task.hpp>

#include <array>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier::detail {

/// Of arguments, on their way to the coroutine that forks them; it owns those that it still has.
template <class... Ts>
class group_frames {
 public:
  HARRIER_INLINE explicit group_frames(task<Ts>&... work) noexcept
      : frames_{task_access::release(work)...} {}
  HARRIER_INLINE group_frames(group_frames&& other) noexcept
      : frames_(other.frames_), owns_(std::exchange(other.owns_, false)) {}
  group_frames& operator=(group_frames&&) = delete;
  HARRIER_INLINE ~group_frames() {
    if (owns_) [[unlikely]] {
      drop();
    }
  }

  /// For a fork_group, which owns them from now on.
  /// Throws invalid_task.
  fork_group::handles release() {
    bool are_valid = true;
    for (const std::coroutine_handle<> each : frames_) {
      are_valid &= static_cast<bool>(each);
    }
    if (!are_valid) [[unlikely]] {
      throw_invalid_task();
    }
    // relaxed: hint, see context_word::snapshot()
    if (has_context_vars.load(std::memory_order_relaxed)) [[unlikely]] {
      keep_contexts(std::index_sequence_for<Ts...>());
    }
    owns_ = false;
    return frames_;
  }

  template <std::size_t I>
  auto task_at() noexcept {
    using type = std::tuple_element_t<I, std::tuple<task<Ts>...>>;
    return adopt<typename type::value_type>(frames_[I]);
  }

 private:
  template <class T>
  static task<T> adopt(std::coroutine_handle<>& frame) noexcept {
    const std::coroutine_handle<> taken = std::exchange(frame, {});
    return task_access::adopt<T>(
        std::coroutine_handle<task_promise<T>>::from_address(taken.address()));
  }
  template <class T>
  static void keep_context(std::coroutine_handle<>& frame) {
    frame = with_own_context<T>(std::exchange(frame, {}));
  }
  template <std::size_t... I>
  HARRIER_NOINLINE void keep_contexts(std::index_sequence<I...>) {
    (keep_context<Ts>(frames_[I]), ...);
  }
  HARRIER_NOINLINE void drop() noexcept {
    for (const std::coroutine_handle<> each : frames_) {
      if (each) {
        drop_unstarted(each);
      }
    }
  }

  std::array<std::coroutine_handle<>, sizeof...(Ts)> frames_;
  bool owns_ = true;
};

/// Of a range: for the fork_group, which owns them. Of few without an allocation.
class range_frames {
 public:
  /// Throws invalid_task.
  template <class T>
  explicit range_frames(std::vector<task<T>>& work) {
    for (const task<T>& each : work) {
      if (!each.valid()) [[unlikely]] {
        throw_invalid_task();
      }
    }
    // relaxed: hint, see context_word::snapshot()
    if (has_context_vars.load(std::memory_order_relaxed)) [[unlikely]] {
      for (task<T>& each : work) {
        each = in_own_context(std::move(each), context_word::current().copy());
      }
    }
    if (work.size() <= few_.size()) {
      all_ = fork_group::handles(few_).first(work.size());
    } else {
      many_.resize(work.size());
      all_ = many_;
    }
    for (std::size_t i = 0; i < work.size(); ++i) {
      all_[i] = task_access::release(work[i]);
    }
  }
  range_frames(const range_frames&) = delete;
  range_frames& operator=(const range_frames&) = delete;

  fork_group::handles all() const noexcept { return all_; }

 private:
  std::array<std::coroutine_handle<>, 16> few_;
  std::vector<std::coroutine_handle<>> many_;
  fork_group::handles all_;
};

}  // namespace harrier::detail
