// SPDX-License-Identifier: Apache-2.0
// oneTBB's parallel algorithms as something that a coroutine awaits. The one public header that
// includes oneTBB.
//
// Threads     a thread of the runtime's arena starts the algorithm, and others of oneTBB join it;
//             the worker goes on with other coroutines meanwhile.
// Context     each call of a body has the variables of the coroutine as they were when it awaited, and
//             what it sets goes with the call: which thread makes it, and after which other, is chance.
// Protocol    cancel: the loop of the wait cancels the algorithm's context and leaves the wait as
//             it is. oneTBB starts no further piece, those that run finish, and the thread that
//             started the algorithm wakes the coroutine, which then throws. So whatever the body
//             refers to is in use until the co_await returns, and never after it.
#pragma once

#include <harrier/cancellation.hpp>
#include <harrier/detail/context_word.hpp>
#include <harrier/offload.hpp>
#include <harrier/when_all.hpp>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace harrier {

/// What oneTBB splits: tbb::blocked_range and its like.
template <class Range>
concept splittable_range = requires(const Range& range) {
  { range.empty() } -> std::convertible_to<bool>;
  { range.is_divisible() } -> std::convertible_to<bool>;
};

namespace detail {

/// Calls `algorithm` where oneTBB may share it out.
template <class Algorithm>
auto run_algorithm(Algorithm& algorithm) {
#if defined(HARRIER_THREAD_SANITIZED)
  // oneTBB's binary is not instrumented: ThreadSanitizer cannot see what orders its threads, so in
  // this build the thread that makes the call is the only one in the arena.
  tbb::task_arena alone(1, 1);
  return alone.execute(algorithm);
#else
  return algorithm();
#endif
}

/// Calls the user's functions, each call with the variables of the coroutine that awaits.
class body_caller {
 public:
  explicit body_caller(const context_word& given) noexcept
      // relaxed: what was set came here with what handed the call over
      : given_(has_context_vars.load(std::memory_order_relaxed) ? &given : nullptr) {}

  bool has_context() const noexcept { return given_ != nullptr; }

  template <class Function, class... Arguments>
  decltype(auto) operator()(Function& function, Arguments&&... arguments) const {
    if (given_ == nullptr) [[likely]] {
      return std::invoke(function, std::forward<Arguments>(arguments)...);
    }
    context_word own = given_->lend();
    const context_scope within(own);
    return std::invoke(function, std::forward<Arguments>(arguments)...);
  }

 private:
  const context_word* given_;  // null: the program has no variables
};

/// Work is called with a context of oneTBB's, once, on a thread of the arena.
template <class Work>
class parallel_awaiter final : public offload_suspension {
 public:
  using result = std::invoke_result_t<Work&, tbb::task_group_context&, const body_caller&>;

  explicit parallel_awaiter(Work& work)
      : offload_suspension(operations_table, offload_to::arena, make_call), work_(work) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "a parallel algorithm of oneTBB");
    variables_ = context_word::snapshot();
    return publish();
  }
  result await_resume() {
    deliver_cancel();
    return result_.take();
  }

 private:
  static void make_call(blocking_call& call) noexcept {
    auto& self = static_cast<parallel_awaiter&>(call);
    auto algorithm = [&self] {
      const body_caller caller(self.variables_);
      return self.work_(self.context_, caller);
    };
    auto shared_out = [&algorithm] { return run_algorithm(algorithm); };
    self.result_.call(shared_out);
    self.called();
  }
  /// On the loop of the wait, while nobody can resume the coroutine.
  static withdrawal withdraw(ready_node& node) noexcept {
    static_cast<parallel_awaiter&>(node).context_.cancel_group_execution();
    return withdrawal::too_late;  // the call ends the wait, soon
  }
  static constexpr ready_operations operations_table =
      suspension::wait_table("a parallel algorithm of oneTBB", withdraw);

  Work& work_;
  tbb::task_group_context context_{tbb::task_group_context::isolated};
  context_word variables_;  // lent to the calls
  call_result<result> result_;
};

template <class Work>
class [[nodiscard]] parallel_operation {
 public:
  using harrier_native = void;

  explicit parallel_operation(Work work) : work_(std::move(work)) {}

  parallel_awaiter<Work> operator co_await() & { return parallel_awaiter<Work>(work_); }
#if defined(HARRIER_DESTROYS_AWAITED_TEMPORARIES_TWICE)
  /// g++ before 13 destroys a callable in an awaited temporary twice. Use the two-statement form:
  /// `auto op = parallel_for(range, std::move(body)); co_await op;`
  parallel_awaiter<Work> operator co_await() &&
    requires std::is_trivially_destructible_v<Work>
  {
    return parallel_awaiter<Work>(work_);
  }
  template <class Two_statement_form_needed = Work>
    requires(!std::is_trivially_destructible_v<Two_statement_form_needed>)
  void operator co_await() && = delete;
#else
  parallel_awaiter<Work> operator co_await() && { return parallel_awaiter<Work>(work_); }
#endif

 private:
  Work work_;
};

/// Runs the functions at I... and keeps what they give.
template <std::size_t... I, class Functions, class Results>
void invoke_each(std::index_sequence<I...> /*all*/, Functions& functions, Results& results,
                 tbb::task_group_context& context, const body_caller& call) {
  const auto one = [&]<std::size_t At>(std::integral_constant<std::size_t, At> /*position*/) {
    auto& function = std::get<At>(functions);
    if constexpr (std::is_void_v<decltype(function())>) {
      call(function);
      std::get<At>(results).emplace();
    } else {
      std::get<At>(results).emplace(call(function));
    }
  };
  tbb::parallel_invoke([&] { one(std::integral_constant<std::size_t, I>()); }..., context);
  if (context.is_group_execution_cancelled()) {
    throw cancelled();  // some have not run: there is no result
  }
}

}  // namespace detail

// With a range of oneTBB these names are written with their namespace, harrier::parallel_for: without
// it the compiler also finds oneTBB's own.

/// Calls `body(part)` for parts of `range`, side by side on oneTBB's threads, and completes when
/// all calls have. Awaited on a worker of a runtime, which meanwhile runs other coroutines.
///
/// Threads   `body` is shared by all threads and called as const. They are no workers: in the body
///           this_worker::id() is empty, and blocking calls of a runtime are allowed.
/// Lifetime  range and body are copied into the operation, which lives until it has been awaited;
///           what they refer to likewise.
/// Context   each call has a copy of the caller's context variables; what it sets goes with the call.
/// Errors    the first that a body throws, once every call has ended; those not begun are dropped.
///           no_running_loop outside a worker; std::bad_alloc.
/// Cancel    begins no further call, waits for those that run, then throws `cancelled`. A body that
///           runs for long can ask `tbb::is_current_task_group_canceling()`.
/// Memory    what happened before the co_await happens before each call; each call happens before
///           the co_await returns.
/// Cost      that of `offload` and of tbb::parallel_for; the latter splits by its auto_partitioner.
template <splittable_range Range, class Body>
  requires std::invocable<const Body&, Range&>
auto parallel_for(Range range, Body body) {
  return detail::parallel_operation(
      [range = std::move(range), body = std::move(body)](tbb::task_group_context& context,
                                                         const detail::body_caller& call) {
        const auto with_variables = [&](auto& part) { call(body, part); };
        tbb::parallel_for(range, with_variables, context);
      });
}

/// The same for `body(i)` with each i from `first` to below `last`.
template <std::integral Index, class Body>
  requires std::invocable<const Body&, Index>
auto parallel_for(Index first, std::type_identity_t<Index> last, Body body) {
  return detail::parallel_operation(
      [first, last, body = std::move(body)](tbb::task_group_context& context,
                                            const detail::body_caller& call) {
        if (!call.has_context()) {
          tbb::parallel_for(first, last, body, context);
          return;
        }
        const auto with_variables = [&](Index index) { call(body, index); };
        tbb::parallel_for(first, last, with_variables, context);
      });
}

/// Folds parts of `range`: `body(part, value)` gives `value` with the part added to it, starting from
/// copies of `identity`, and `join(left, right)` puts two neighbours together. Gives the value of
/// the whole range; `identity` for an empty one. For the rest see parallel_for().
template <splittable_range Range, class Value, class Body, class Join>
  requires std::convertible_to<std::invoke_result_t<const Body&, Range&, Value>, Value> &&
           std::convertible_to<std::invoke_result_t<const Join&, Value, Value>, Value>
auto parallel_reduce(Range range, Value identity, Body body, Join join) {
  return detail::parallel_operation([range = std::move(range), identity = std::move(identity),
                                     body = std::move(body), join = std::move(join)](
                                        tbb::task_group_context& context,
                                        const detail::body_caller& call) -> Value {
    const auto fold = [&](auto& part, auto&& value) -> Value {
      return call(body, part, std::forward<decltype(value)>(value));
    };
    const auto put_together = [&](auto&& left, auto&& right) -> Value {
      return call(join, std::forward<decltype(left)>(left), std::forward<decltype(right)>(right));
    };
    return tbb::parallel_reduce(range, identity, fold, put_together, context);
  });
}

/// Calls the functions side by side and gives what they return, in order, as when_all() does: void
/// becomes std::monostate. For the rest see parallel_for().
template <std::invocable... Functions>
  requires(sizeof...(Functions) >= 2)
auto invoke(Functions... functions) {
  using values = std::tuple<detail::stored<std::invoke_result_t<Functions&>>...>;
  using results = std::tuple<std::optional<detail::stored<std::invoke_result_t<Functions&>>>...>;
  return detail::parallel_operation(
      [all = std::tuple<Functions...>(std::move(functions)...)](
          tbb::task_group_context& context, const detail::body_caller& call) mutable {
        results given;
        detail::invoke_each(std::index_sequence_for<Functions...>(), all, given, context, call);
        return detail::unwrap_each<values>(given);
      });
}

}  // namespace harrier
