// SPDX-License-Identifier: Apache-2.0
// The coroutine around an item that is retried, timed or slowed down.
#pragma once

#include <harrier/detail/item_guard.hpp>
#include <harrier/detail/item_start.hpp>
#include <harrier/join_handle.hpp>
#include <harrier/sleep.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier::detail {

template <class T>
task<> cancel_after(duration limit, join_handle<T>* work) {
  co_await sleep_for(limit);
  work->cancel();
}

/// What a timed attempt has come to.
template <class T>
class attempt_outcome {
 public:
  attempt_outcome() noexcept {}
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value;
  std::exception_ptr error;
};

/// Runs `work` as a task of its own, so that it can be cancelled without cancelling the item.
template <class T>
task<T> run_within(duration limit, batch_core* batch, task<T> work) {
  attempt_outcome<T> outcome;
  join_handle<T> attempt = spawn(std::move(work));
  auto watching = cancel_after(limit, &attempt);
  join_handle<void> watch = spawn(std::move(watching));
  try {
    if constexpr (std::is_void_v<T>) {
      co_await attempt;
      outcome.value.emplace(true);
    } else {
      T value = co_await attempt;
      outcome.value.emplace(std::move(value));
    }
  } catch (...) {  // kept: rethrown once the watch has ended, which refers to this frame
    outcome.error = std::current_exception();
  }
  bool is_late = false;
  watch.cancel();
  try {
    co_await watch;
    is_late = true;
  } catch (
      const cancelled&) {  // it was in time; or the batch is cancelled, which is looked at below
  }
  if (batch->is_cancelled() && !outcome.value) {
    throw cancelled();
  }
  if (outcome.error) {
    bool was_cancelled = false;
    try {
      std::rethrow_exception(outcome.error);
    } catch (const cancelled&) {
      was_cancelled = true;
    } catch (...) {  // the question was only whether it was cancelled
    }
    if (is_late && was_cancelled) {
      throw item_timed_out();
    }
    std::rethrow_exception(outcome.error);
  }
  if constexpr (!std::is_void_v<T>) {
    co_return std::move(*outcome.value);
  }
}

/// Makes the task of each attempt of one item. Without its type, so that the coroutine is compiled once
/// for each result, and because g++ 12 warns of frames with a local closure in them.
template <class T>
class attempt_maker {
 public:
  attempt_maker() noexcept {}
  attempt_maker(const attempt_maker&) = delete;
  attempt_maker& operator=(const attempt_maker&) = delete;
  virtual ~attempt_maker() = default;
  virtual task<T> make(const batch_item& item) = 0;
};

template <class T, class Start>
class attempt_maker_of final : public attempt_maker<T> {
 public:
  explicit attempt_maker_of(Start start) : start_(std::move(start)) {}
  task<T> make(const batch_item& item) override { return start_(item); }

 private:
  Start start_;
};

template <class T>
task<T> guard_item(batch_core* batch, batch_item item, std::unique_ptr<attempt_maker<T>> maker) {
  item_guard& guard = *batch->guard();
  for (;; ++item.attempt) {
    if (guard.has_rate()) {
      const time_point now = this_loop().now();
      const time_point permit = guard.reserve(now);
      if (permit > now) {
        co_await sleep_until(permit);
      }
    }
    std::exception_ptr error;
    try {
      task<T> attempt = maker->make(item);
      if (guard.has_timeout()) {
        attempt = run_within<T>(guard.timeout(), batch, std::move(attempt));
      }
      if constexpr (std::is_void_v<T>) {
        co_await attempt;
        co_return;
      } else {
        T value = co_await attempt;
        co_return value;
      }
    } catch (const cancelled&) {
      throw;
    } catch (...) {  // kept: looked at outside of the handler, where it may be waited
      error = std::current_exception();
    }
    const std::optional<duration> wait = guard.next_wait(item, error);
    if (!wait) {
      std::rethrow_exception(error);
    }
    co_await sleep_for(*wait);
  }
}

/// `start(item)` gives the task of one attempt; it refers to what outlives the batch's items.
template <class T, class Start>
task<T> guarded_item(batch_core& batch, const batch_item& item, Start start) {
  return guard_item<T>(&batch, item,
                       std::make_unique<attempt_maker_of<T, Start>>(std::move(start)));
}

/// The factory of a guarded batch with an indexed input, without its type: it is called seldom enough
/// to be called through a pointer, and so the engine is compiled once for each result.
template <class T>
using erased_factory = std::function<task<T>(std::uint64_t)>;

}  // namespace harrier::detail
