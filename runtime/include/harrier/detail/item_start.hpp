// SPDX-License-Identifier: Apache-2.0
// How an item of a batch is started, whatever its input and wherever its result goes.
#pragma once

#include <harrier/batch_item.hpp>
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/worker_slot.hpp>
#include <harrier/task.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>

namespace harrier::detail {

/// A factory makes the task of an item from an element of the input, and may ask which item it is.
template <class Factory, class Element>
concept numbered_factory = std::invocable<Factory&, Element, batch_item>;

template <class Factory, class Element>
decltype(auto) call_factory(Factory& factory, Element&& element, const batch_item& item) {
  if constexpr (numbered_factory<Factory, Element>) {
    return factory(std::forward<Element>(element), batch_item(item));
  } else {
    return factory(std::forward<Element>(element));
  }
}

/// What the items of a batch give.
template <class Factory, class Element>
using item_result_t =
    typename decltype(call_factory(std::declval<Factory&>(), std::declval<Element>(),
                                   std::declval<const batch_item&>()))::value_type;

/// Items of one chunk that ended without a suspension, and nobody has to be told which.
class ended_items {
 public:
  HARRIER_INLINE void add_completed(std::uint64_t /*index*/) noexcept { ++completed_; }
  HARRIER_INLINE void add_failed(std::uint64_t /*index*/) noexcept { ++failed_; }

  /// Those that suspended were counted then: they may have ended elsewhere, and the batch with them.
  void count(batch_core& batch, worker_slot& slot, batch_lane& lane) noexcept {
    bump(lane.started, completed_ + failed_);
    bump(lane.completed, completed_);
    batch.count_finished(slot, lane, completed_ + failed_);
  }

 private:
  std::uint64_t completed_ = 0;
  std::uint64_t failed_ = 0;
};

/// The same, if somebody may have to be told.
class recorded_items {
 public:
  recorded_items(batch_core& batch, std::size_t slot) noexcept
      : of_slot_(batch.runs(slot)), own_(batch.recorder(), slot) {
    // A coroutine that helps may run a chunk inside a chunk, of the same batch.
    if (of_slot_ != nullptr && !of_slot_->is_in_chunk) {
      of_slot_->is_in_chunk = true;
      run_ = &of_slot_->started;
    }
  }
  recorded_items(const recorded_items&) = delete;
  recorded_items& operator=(const recorded_items&) = delete;
  ~recorded_items() = default;

  /// Before an item that does not follow one that has completed.
  void go_on_with(std::uint64_t index) noexcept { run_->go_on_with(index); }
  HARRIER_INLINE void add_completed(std::uint64_t index) noexcept {
    ended_.add_completed(index);
    run_->add(index);
  }
  HARRIER_INLINE void add_failed(std::uint64_t index) noexcept {
    ended_.add_failed(index);
    run_->go_on_with(index + 1);
  }

  void count(batch_core& batch, worker_slot& slot, batch_lane& lane) noexcept {
    if (run_ == &own_) {
      run_->tell();
    } else {
      of_slot_->is_in_chunk = false;
    }
    ended_.count(batch, slot, lane);
  }

 private:
  ended_items ended_;
  slot_runs* of_slot_;
  completion_run own_;
  completion_run* run_ = &own_;
};

/// The item that was just started has suspended. It has given way, or its record has taken over, and
/// may have ended it.
HARRIER_EXPORT HARRIER_NOINLINE void left_by_item(execution& at, item_source& source) noexcept;

/// Starts the item `source.index`, whose task `make()` gives. Part of the chunk's loop: a call would
/// be a fifth of what a trivial item costs. True: it may have taken room of the window.
template <class T, class Batch, class Ended, class Make>
[[gnu::always_inline]] inline bool start_item(execution& at, Batch& batch, batch_lane& lane,
                                              item_source& source, Ended& ended, Make make) {
  std::coroutine_handle<task_promise<T>> item;
  try {
    task<T> made = make();
    item = task_access::release(made);
    if (!item) {
      throw invalid_task();
    }
  } catch (...) {  // the factory's failure is the item's
    batch.item_failed(lane, source.index, std::current_exception());
    ended.add_failed(source.index);
    return false;
  }
  task_promise<T>& promise = item.promise();
  promise.started_as = role::item;
  promise.owner = &batch;
  promise.set_source(source);
  resume(at, item);
  if (source.left) [[unlikely]] {
    left_by_item(at, source);
    return true;
  }
  if (batch.keep(lane, promise, source.index)) [[likely]] {
    ended.add_completed(source.index);
  } else {
    batch.settle(lane, promise, source.index);
    ended.add_failed(source.index);
  }
  item.destroy();
  if (source.context.is_counted()) [[unlikely]] {
    source.context = batch.context().lend();  // what the item has set goes with it
  }
  return Batch::results_take_room;
}

}  // namespace harrier::detail
