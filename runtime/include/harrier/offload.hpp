// SPDX-License-Identifier: Apache-2.0
// Ordinary calls from coroutines: work for oneTBB's threads, and calls that block.
#pragma once

#include <harrier/detail/context_word.hpp>
#include <harrier/detail/elastic_pool.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/suspension.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier {
namespace detail {

enum class offload_to { arena, blocking_pool };

/// The result of a call that another thread makes.
template <class T>
class call_result {
 public:
  template <class F>
  void call(F& function) noexcept {
    try {
      if constexpr (std::is_void_v<T>) {
        function();
      } else {
        value_.emplace(function());
      }
    } catch (...) {  // rethrown where the call is awaited
      error_ = std::current_exception();
    }
  }
  T take() {
    if (error_) {
      std::rethrow_exception(std::exchange(error_, nullptr));
    }
    if constexpr (!std::is_void_v<T>) {
      return std::move(*value_);
    }
  }

 private:
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value_;
  std::exception_ptr error_;
};

class HARRIER_EXPORT offload_suspension : public suspension, protected blocking_call {
 protected:
  offload_suspension(offload_to where, void (*work)(blocking_call&) noexcept) noexcept;
  /// For a call that has a withdraw of its own, which may hurry it and answers too_late.
  offload_suspension(const ready_operations& operations, offload_to where,
                     void (*work)(blocking_call&) noexcept) noexcept;
  /// Hands the call over; throws no_running_loop outside a worker.
  bool publish();
  /// The call has been made. The thread that made it touches nothing here afterwards.
  void called() noexcept;

  bool refused_ = false;  // a cancel was due, so the call was not made

 private:
  static withdrawal withdraw(ready_node&) noexcept { return withdrawal::too_late; }
  static const ready_operations operations_table;
  offload_to where_;
};

template <class F>
class offload_awaiter final : public offload_suspension {
 public:
  using result = std::decay_t<std::invoke_result_t<F&>>;

  offload_awaiter(offload_to where, F& function) noexcept
      : offload_suspension(
            where,
            [](blocking_call& call) noexcept { static_cast<offload_awaiter&>(call).make_call(); }),
        function_(function) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "offload");
    context_ = context_word::snapshot();
    return publish();
  }
  result await_resume() {
    deliver_cancel();
    return result_.take();
  }

 private:
  void make_call() noexcept {
    {
      context_word context = std::move(context_);
      const context_scope within(context);
      result_.call(function_);
    }
    called();
  }

  context_word context_;  // the caller's variables; what the call sets goes with it
  F& function_;
  call_result<result> result_;
};

template <class F>
class [[nodiscard]] offload_operation {
 public:
  using harrier_native = void;

  offload_operation(offload_to where, F function) : function_(std::move(function)), where_(where) {}

  offload_awaiter<F> operator co_await() & noexcept {
    return offload_awaiter<F>(where_, function_);
  }
#if defined(HARRIER_DESTROYS_AWAITED_TEMPORARIES_TWICE)
  /// g++ before 13 destroys a callable in an awaited temporary twice. Use the two-statement form:
  /// `auto op = offload(std::move(f)); auto v = co_await op;`
  offload_awaiter<F> operator co_await() && noexcept
    requires std::is_trivially_destructible_v<F>
  {
    return offload_awaiter<F>(where_, function_);
  }
  template <class Two_statement_form_needed = F>
    requires(!std::is_trivially_destructible_v<Two_statement_form_needed>)
  void operator co_await() && = delete;
#else
  offload_awaiter<F> operator co_await() && noexcept {
    return offload_awaiter<F>(where_, function_);
  }
#endif

 private:
  F function_;
  offload_to where_;
};

}  // namespace detail

/// Calls `function` on a thread of oneTBB and gives what it returns: for work that keeps a
/// processor busy. Awaited on a worker of a runtime.
///
/// Lifetime  the operation lives until it has been awaited; what `function` refers to likewise.
/// Context   `function` sees a copy of the caller's context variables; what it sets goes with it.
/// Errors    what `function` throws; no_running_loop outside a worker.
/// Cancel    a call that is running is not interrupted: the cancel is thrown after it.
template <class F>
detail::offload_operation<std::decay_t<F>> offload(F&& function) {
  return detail::offload_operation<std::decay_t<F>>(detail::offload_to::arena,
                                                    std::forward<F>(function));
}

/// The same on a pool of threads that grows with the calls: for calls that block.
template <class F>
detail::offload_operation<std::decay_t<F>> offload_blocking(F&& function) {
  return detail::offload_operation<std::decay_t<F>>(detail::offload_to::blocking_pool,
                                                    std::forward<F>(function));
}

}  // namespace harrier
