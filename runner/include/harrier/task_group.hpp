// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/nursery.hpp>
#include <harrier/detail/quiet_child.hpp>
#include <harrier/errors.hpp>
#include <harrier/exception_group.hpp>
#include <harrier/join_handle.hpp>
#include <harrier/task.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

namespace harrier {

class task_group;

namespace detail {

/// Enters the group for the task that awaits.
class [[nodiscard]] enter_task_group {
 public:
  using harrier_native = void;
  explicit enter_task_group(nursery& children) noexcept : children_(children) {}

  class awaiter {
   public:
    explicit awaiter(nursery& children) noexcept : children_(children) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) {
      if (children_.state() != nursery::phase::fresh) {
        throw task_group_misuse("task_group has already been entered");
      }
      children_.enter(handle.promise().record());
      return false;
    }
    void await_resume() const noexcept {}

   private:
    nursery& children_;
  };

  awaiter operator co_await() const noexcept { return awaiter(children_); }

 private:
  nursery& children_;
};

}  // namespace detail

/// Tasks that belong together: the scope is left when all of them have ended, and when one fails the
/// others are cancelled.
///
///     auto body = [&](task_group& group) -> task<> {
///       group.start(first());
///       group.start(second());
///       co_return;
///     };
///     auto op = with_task_group(body);
///     co_await op;
///
/// A child may be awaited by its handle inside the group, and may spawn more. The first failure of a
/// child, or of the body, cancels all other children and the body, once each; then the scope waits for
/// all and throws one `exception_group` with what each failed with, in the order of their ends; it is a
/// group also if it is one error. A child that is cancelled has not failed.
///
/// Threads   spawn() and start(): the body, its children, and what they run, on any worker.
/// Lifetime  outlives the operation that run() gives. One use.
/// Errors    exception_group; task_group_misuse: before the entry, after the end, while the group
///           cancels, or a second time; the refused task is freed.
/// Cancel    a cancel from outside cancels and joins the children, and is then thrown; if a child has
///           failed the group of errors is, and the cancel is due at the next suspension. The group's
///           own cancel of its body is undone.
/// Cost      a record and a small block for each child, which go when it ends.
/// Example   docs/guide.md#task-groups
class HARRIER_EXPORT task_group {
 public:
  task_group() noexcept : children_(detail::nursery::abort_on::error) {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// Starts `work` in the group.
  template <class T>
  join_handle<T> spawn(task<T> work, std::string_view name = {}) {
    if (!work.valid()) {
      throw invalid_task();
    }
    place_for_child place(children_);
    join_handle<T> child = harrier::spawn(std::move(work), name);
    place.give(detail::handle_access::record(child));
    return child;
  }

  /// The same for a child of which nobody wants more than that it ends well.
  template <class T>
  void start(task<T> work, std::string_view name = {}) {
    spawn(std::move(work), name).detach();
  }

  /// How many children have not ended.
  std::size_t size() const noexcept { return children_.alive(); }

  /// Enters the group, runs `body(*this)` in it, and leaves it; gives what the body gives. The body is
  /// kept by the caller.
  template <class F>
    requires std::invocable<F&, task_group&>
  std::invoke_result_t<F&, task_group&> run(F& body) {
    return run_body(&body);
  }

 private:
  template <class F>
  std::invoke_result_t<F&, task_group&> run_body(F* body) {
    using result = typename std::invoke_result_t<F&, task_group&>::value_type;
    auto child = detail::quiet_child<result>((*body)(*this));
    auto entering = detail::enter_task_group(children_);
    co_await entering;
    co_await child;
    if (child.has_failed()) {
      children_.abort();
    }
    auto joining = children_.join();
    co_await joining;
    finish(child.has_failed() ? &child.error() : nullptr);
    if constexpr (std::is_void_v<result>) {
      child.take();
    } else {
      co_return child.take();
    }
  }

  /// A place that is given back unless a child has got it.
  class HARRIER_EXPORT place_for_child {
   public:
    explicit place_for_child(detail::nursery& children);
    ~place_for_child();
    place_for_child(const place_for_child&) = delete;
    place_for_child& operator=(const place_for_child&) = delete;
    void give(detail::task_record& child) noexcept;

   private:
    detail::nursery& children_;
    detail::nursery_member* member_;
  };

  /// Throws what the group ends with, if it has not succeeded.
  void finish(const std::exception_ptr* body_error);

  detail::nursery children_;
};

/// A task_group for one body: `body(task_group&)` gives a task. The body is kept until that, and all
/// children, have ended.
template <class F>
  requires std::invocable<F&, task_group&>
std::invoke_result_t<F&, task_group&> with_task_group(F body) {
  task_group group;
  auto op = group.run(body);
  if constexpr (std::is_void_v<typename std::invoke_result_t<F&, task_group&>::value_type>) {
    co_await op;
  } else {
    co_return co_await op;
  }
}

}  // namespace harrier
