// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/promise.hpp>
#include <harrier/detail/suspension.hpp>

#include <coroutine>
#include <cstddef>

namespace harrier {
namespace detail {

class HARRIER_EXPORT resume_on_awaiter final : public suspension {
 public:
  explicit resume_on_awaiter(std::size_t worker) noexcept
      : suspension(operations_table), worker_(worker) {}

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "resume_on");
    return publish();
  }

  void await_resume() {
    if (!is_there_) {
      deliver_cancel();
    }
  }

 private:
  /// False: it is there already, or a cancel is due instead.
  bool publish();
  static const ready_operations operations_table;

  std::size_t worker_;
  bool is_there_ = false;
};

class HARRIER_EXPORT resume_anywhere_awaiter final : public suspension {
 public:
  resume_anywhere_awaiter() noexcept : suspension(operations_table) {}

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "resume_anywhere");
    return publish();
  }

  void await_resume() { deliver_cancel(); }

 private:
  bool publish() noexcept;
  static const ready_operations operations_table;
};

/// What resume_on gives: awaited once or often.
class [[nodiscard]] resume_on_operation {
 public:
  using harrier_native = void;
  explicit resume_on_operation(std::size_t worker) noexcept : worker_(worker) {}
  resume_on_awaiter operator co_await() const noexcept { return resume_on_awaiter(worker_); }

 private:
  std::size_t worker_;
};

class [[nodiscard]] resume_anywhere_operation {
 public:
  using harrier_native = void;
  resume_anywhere_operation() noexcept {}
  resume_anywhere_awaiter operator co_await() const noexcept { return resume_anywhere_awaiter(); }
};

}  // namespace detail

/// Moves the task that awaits it to that worker of its runtime, and binds it there: it goes on on
/// that worker, and is neither stolen nor run anywhere else until it moves again or awaits
/// resume_anywhere().
///
/// What moves is the task, so the whole chain: the coroutine that awaits this and those that await
/// it in turn, up to what was run or spawned, or to the item of a batch. So an awaited child that
/// moves has moved its parent, which it finds itself on the other worker when the child returns. A
/// forked child moves its parent if nobody stole it, for it is then awaited in place; one that was
/// stolen moves and binds itself alone. Children that a bound task forks may be stolen.
///
/// Threads   a worker's coroutine.
/// Errors    no_running_loop outside a worker; std::out_of_range, which names the number and the
///           limit; std::system_error: that worker has no thread and gets none, or runtime_stopped:
///           the same after stop(). In each case the task goes on where it is, as bound as it was.
/// Cancel    due before it leaves: thrown, and it stays. One that comes while it is on its way is
///           thrown on arrival, once, on the new worker, with the task bound there.
/// Memory    what happened before it left happens before it goes on.
/// Cost      two short locks on each side, and a wake if that worker sleeps; no allocation. If it is
///           there already it only binds: no suspension, and no cancel is delivered.
inline detail::resume_on_operation resume_on(std::size_t worker) noexcept {
  return detail::resume_on_operation(worker);
}

/// Ends what resume_on(), spawn_on() or a strict batch began: the task may be stolen again. Gives up
/// one turn, like yield(), so that an idle worker can take it at once.
///
/// Cancel   throws `cancelled` if one is due; it is unbound then, too.
/// Errors   no_running_loop. On a lone runner it is a yield().
/// Cost     two queue operations; no allocation.
inline detail::resume_anywhere_operation resume_anywhere() noexcept {
  return detail::resume_anywhere_operation();
}

}  // namespace harrier
