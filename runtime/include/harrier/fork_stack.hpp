// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/fork.hpp>
#include <harrier/task.hpp>

#include <array>
#include <coroutine>
#include <cstddef>
#include <utility>

namespace harrier {
namespace detail {
[[noreturn]] HARRIER_EXPORT void throw_too_many_forks();
}

/// Up to N forked children of one type, for a coroutine that forks in a loop.
///
///     harrier::fork_stack<int, 8> children;
///     for (int i = 0; i < n; ++i) children.fork(child(i));
///     while (!children.empty()) {
///       auto join = children.join();
///       sum += co_await join;
///     }
///
/// Lifetime  lives in the parent's frame, and each child ends before what it refers to. Those that are
///           dropped unjoined fare as with `forked`, the latest first.
/// Errors    fork() throws std::length_error when there are N, and invalid_task. A join rethrows what
///           its child threw; join() of none throws invalid_task.
/// Cancel    a cancel of the parent goes on to the child that it joins.
/// Cost      that of fork() and its join, and one look at the count in the end instead of one at each
///           handle: no memory but N pointers.
template <class T, std::size_t N>
class [[nodiscard]] fork_stack {
 public:
  using value_type = T;

  fork_stack() noexcept {}
  fork_stack(const fork_stack&) = delete;
  fork_stack& operator=(const fork_stack&) = delete;
  HARRIER_INLINE ~fork_stack() {
    if (count_ != 0) [[unlikely]] {
      drop_all();
    }
  }

  /// Offers `child` to other workers. Outside a runtime's worker it runs when it is joined.
  HARRIER_INLINE void fork(task<T> child) {
    if (count_ == N) [[unlikely]] {
      detail::throw_too_many_forks();
    }
    children_[count_] = detail::fork_handle(std::move(child));
    ++count_;
  }

  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }

  /// The latest child, to be awaited at once.
  HARRIER_INLINE detail::child_joining<T> join() noexcept {
    if (count_ == 0) [[unlikely]] {
      return detail::child_joining<T>(handle());
    }
    const handle latest = children_[--count_];
    if (!latest) {
      __builtin_unreachable();  // so that the join needs no look
    }
    return detail::child_joining<T>(latest);
  }

 private:
  using handle = std::coroutine_handle<detail::task_promise<T>>;

  HARRIER_NOINLINE void drop_all() noexcept {
    while (count_ != 0) {
      detail::drop_unjoined(children_[--count_].promise());
    }
  }

  std::size_t count_ = 0;
  std::array<handle, N> children_;  // the first count_
};

}  // namespace harrier
