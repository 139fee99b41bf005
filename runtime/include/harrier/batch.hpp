// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/result_storage.hpp>
#include <harrier/detail/worker_slot.hpp>
#include <harrier/join_handle.hpp>

#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier {
namespace detail {

/// A batch with the type of its results; the handle's view of it.
template <class T>
class batch_of : public batch_core {
 public:
  using batch_core::batch_core;
  ~batch_of() override { destroy_results(); }

  T* results() noexcept { return results_.data(); }

 protected:
  /// The short way for a value that moves without throwing. False: settle() has to look.
  bool keep(task_promise<T>& promise, std::uint64_t index) noexcept {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      if (promise.result == result_kind::value) [[likely]] {
        std::construct_at(results_.data() + index, promise.take());
        return true;
      }
    }
    return false;
  }

  void store_result(promise_base& promise, std::uint64_t index) final {
    std::construct_at(results_.data() + index, static_cast<task_promise<T>&>(promise).take());
  }

  void release_results() noexcept final {
    destroy_results();
    results_.release();
  }

  result_storage<T> results_;

 private:
  void destroy_results() noexcept {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      if (results_.data() == nullptr || !is_done()) {
        return;
      }
      for (std::uint64_t index = 0; index < total(); ++index) {
        if (has_result(index)) {
          std::destroy_at(results_.data() + index);
        }
      }
    }
  }
};

template <>
class batch_of<void> : public batch_core {
 public:
  using batch_core::batch_core;

 protected:
  bool keep(task_promise<void>& promise, std::uint64_t) noexcept {
    return promise.result == result_kind::value;
  }
  void store_result(promise_base&, std::uint64_t) final {}
  void release_results() noexcept final {}
};

/// A batch with its factory: `Make(index)` gives the task of an item.
template <class T, class Make>
class batch_made_by final : public batch_of<T> {
 public:
  batch_made_by(std::uint64_t total, dispatch_options options, Make make)
      : batch_of<T>(total, std::move(options)), make_(std::move(make)) {
    if constexpr (!std::is_void_v<T>) {
      if (this->recorder() != nullptr) {
        throw std::invalid_argument(
            "dispatch: the items of a batch with a checkpoint return nothing, because the results "
            "of an earlier run are gone; use checkpoint::finish() to write them");
      }
      this->results_.allocate(total);
    }
  }

 private:
  std::uint64_t start_items(worker_slot& slot, batch_lane& lane, std::uint64_t first,
                            std::uint64_t last) override {
    constexpr std::uint64_t pause_mask = 31;  // how many items start between looks at other work
    execution& at = *here();
    item_source source(*this);
    context_word* const outer = std::exchange(at.context, &source.context);
    counted ended(this->recorder(), slot.index());
    std::uint64_t position = first;
    for (; position < last; ++position) {
      if (this->is_cancelled() || !this->has_room(lane) ||
          ((position & pause_mask) == pause_mask && position != first &&
           this->should_pause(slot))) {
        break;
      }
      source.index = this->index_of(position);
      start_item(at, lane, source, ended);
    }
    at.context = outer;
    // Those that suspended were counted then: they may have ended elsewhere, and the batch with them.
    bump(lane.started, ended.completed + ended.failed);
    ended.run.tell();
    bump(lane.completed, ended.completed);
    this->count_finished(slot, lane, ended.completed + ended.failed);
    return position;
  }

  /// Items of this call that ended without a suspension.
  class counted {
   public:
    counted(completion_recorder* recorder, std::size_t slot) noexcept : run(recorder, slot) {}
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;
    completion_run run;
  };

  void start_item(execution& at, batch_lane& lane, item_source& source, counted& ended) {
    std::coroutine_handle<task_promise<T>> item;
    try {
      task<T> made = (*make_)(source.index);
      item = task_access::release(made);
      if (!item) {
        throw invalid_task();
      }
    } catch (...) {  // the factory's failure is the item's
      this->item_failed(lane, source.index, std::current_exception());
      ++ended.failed;
      return;
    }
    task_promise<T>& promise = item.promise();
    promise.started_as = role::item;
    promise.owner = this;
    promise.set_source(source);
    resume(at, item);
    if (source.made) [[unlikely]] {
      source.made = false;  // its record has taken over, and may have ended it already
      at.context = &source.context;
      release_finished(at);
      return;
    }
    if (this->keep(promise, source.index)) [[likely]] {
      ++ended.completed;
      ended.run.add(source.index);
    } else {
      this->settle(lane, promise, source.index);
      ++ended.failed;
    }
    item.destroy();
    if (source.context.is_counted()) [[unlikely]] {
      source.context = this->context().lend();  // what the item has set goes with it
    }
  }

  void release_inputs() noexcept override { make_.reset(); }

  std::optional<Make> make_;
};

class HARRIER_EXPORT batch_awaiter_base : public suspension, private batch_watcher {
 public:
  explicit batch_awaiter_base(batch_core& batch) noexcept;
  bool await_ready() const noexcept { return batch_->is_done(); }
  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "co_await of a batch");
    return publish();
  }

 protected:
  batch_core* batch_;

 private:
  bool publish() noexcept;
  static withdrawal withdraw(ready_node& node) noexcept;
  static const ready_operations operations_table;
};

template <class T>
class batch_awaiter final : public batch_awaiter_base {
 public:
  explicit batch_awaiter(batch_of<T>& batch) noexcept : batch_awaiter_base(batch) {}
  auto await_resume() {
    deliver_cancel();
    batch_->rethrow_first_error();
    if constexpr (!std::is_void_v<T>) {
      return std::span<T>(static_cast<batch_of<T>*>(batch_)->results(),
                          static_cast<std::size_t>(batch_->total()));
    }
  }
};

}  // namespace detail

/// A dispatched batch: wait for it, await it, watch it, cancel it, read its results.
///
/// Threads   one thread at a time; cancel(), counts() and done() from any.
/// Lifetime  dropping the handle lets the batch go on by itself. The results live as long as the
///           handle, the factory until the last item has ended.
/// Errors    get() and co_await rethrow the first failure by time of completion, after all items
///           have ended; errors() has all of them by index.
/// Memory    what happened before dispatch() happens before each item, and the end of each item
///           before the wait returns.
template <class T>
class [[nodiscard]] batch {
 public:
  using value_type = T;
  using harrier_native = void;

  batch() noexcept = default;
  explicit batch(detail::batch_of<T>& core) noexcept : core_(&core) {}
  batch(batch&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  batch& operator=(batch&& other) noexcept {
    if (this != &other) {
      detach();
      core_ = std::exchange(other.core_, nullptr);
    }
    return *this;
  }
  ~batch() { detach(); }

  bool valid() const noexcept { return core_ != nullptr; }
  std::uint64_t size() const { return checked().total(); }
  bool done() const { return checked().is_done(); }

  /// Blocks a thread of ordinary code until every item has ended. Throws blocking_in_loop on a
  /// thread that runs a loop; never what an item threw.
  void wait() const { checked().wait("batch::wait"); }
  /// The same, for at most `limit`. False: it is not done.
  bool wait_for(duration limit) const {
    return checked().wait_until(deadline_after(std::chrono::steady_clock::now(), limit),
                                "batch::wait_for");
  }

  /// wait(), then the results in the order of the input, or the first error.
  auto get() {
    checked().wait("batch::get");
    try {
      checked().rethrow_first_error();
    } catch (const run_cancelled&) {
      throw;
    } catch (const cancelled& reason) {
      throw run_cancelled(reason);
    }
    if constexpr (!std::is_void_v<T>) {
      return results();
    }
  }

  /// The results, in the order of the input. Only those with has_result() may be read. Throws
  /// std::logic_error while the batch runs.
  std::span<T> results() const
    requires(!std::is_void_v<T>)
  {
    if (!done()) {
      throw std::logic_error("batch::results before the batch is done");
    }
    return std::span<T>(core_->results(), static_cast<std::size_t>(core_->total()));
  }
  bool has_result(std::uint64_t index) const { return done() && core_->has_result(index); }

  std::optional<item_error> first_error() const { return checked().first_error(); }
  std::vector<item_error> errors() const { return checked().errors(); }
  batch_counts counts() const { return checked().counts(); }

  /// Drops the items that have not started, and cancels each one that has, once. Does not wait.
  void cancel() { checked().cancel(); }

  /// Lets the batch go on by itself.
  void detach() noexcept {
    if (core_ != nullptr) {
      std::exchange(core_, nullptr)->abandon();
    }
  }

  /// Waits in a coroutine, also on a worker of the same runtime. A cancel of the waiter cancels the
  /// batch, and is thrown once it has ended.
  detail::batch_awaiter<T> operator co_await() const { return detail::batch_awaiter<T>(checked()); }

 private:
  detail::batch_of<T>& checked() const {
    if (core_ == nullptr) {
      throw invalid_task();
    }
    return *core_;
  }

  detail::batch_of<T>* core_ = nullptr;
};

}  // namespace harrier
