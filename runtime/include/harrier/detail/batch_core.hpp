// SPDX-License-Identifier: Apache-2.0
// One batch, without its types: where its unstarted items are, how many are unfinished, who waits.
//
// Threads     workers claim, start and finish items; any thread cancels, waits and reads the counts.
// Invariant 1 started + unstarted + dropped + skipped = total; every item ends exactly once:
//             completed, failed or cancelled.
// Invariant 2 the batch ends once (batch_end.hpp), by the flush of the last worker that finished an item, or
//             by a cancel that dropped the last ones.
// Cost        an item touches only lines of the worker's own lane; the shared counter sees one
//             subtraction for each chunk, or when a worker runs out of other work.
#pragma once

#include <harrier/detail/batch_end.hpp>
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/completion_recorder.hpp>
#include <harrier/detail/position_map.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/range_word.hpp>
#include <harrier/dispatch_options.hpp>
#include <harrier/event_loop.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace harrier {

/// An item that failed, and how.
class item_error {
 public:
  item_error(std::uint64_t at, std::exception_ptr thrown) noexcept
      : index(at), error(std::move(thrown)) {}
  std::uint64_t index;
  std::exception_ptr error;
};

/// Where the items of a batch stand. A snapshot while it runs, exact once it is done.
class batch_counts {
 public:
  batch_counts() noexcept {}
  std::uint64_t total = 0;
  std::uint64_t started = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;  ///< ended by a cancel, or never started because of one
  std::uint64_t skipped = 0;  ///< completed by an earlier run, says the checkpoint: left out
};

namespace detail {

class runtime_core;
class worker_slot;

/// What one slot has of a batch. Its lines are written by that slot's thread, but for the range.
struct alignas(64) batch_lane {
  range_word range;  // thieves and cancels write it too

  alignas(64) batch_lane* next_unflushed = nullptr;  // slot's thread only, like all below
  class batch_core* batch = nullptr;
  bool is_unflushed = false;
  std::uint32_t chunk = 1;  // positions to claim next
  std::uint64_t unflushed = 0;  // finished items not yet subtracted from `remaining`
  std::uint64_t partial_first = 0;  // what is left of a claim whose positions stand for many items
  std::uint64_t partial_last = 0;
  std::int64_t window = 0;  // how many may be live: for a window set by hand, what was borrowed
  // counters, read by others as hints
  std::atomic<std::int64_t> live{0};  // started here minus finished here, of those that suspended
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> completed{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> cancelled{0};
};

inline void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  // counter only: one writer, so a load and a store
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

class HARRIER_EXPORT batch_core {
 public:
  static constexpr std::int64_t automatic_window = 1024;

  batch_core(std::uint64_t total, dispatch_options options) noexcept;
  batch_core(const batch_core&) = delete;
  batch_core& operator=(const batch_core&) = delete;

  /// relaxed: whoever adds one already holds one.
  void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() noexcept {
    // acq_rel pairs with itself: what each holder did happens before the destruction
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete this;
    }
  }

  // --- the handle's side
  std::uint64_t total() const noexcept { return total_; }
  bool is_done() const noexcept { return end_.is_done(); }
  bool watch(batch_watcher& watcher) noexcept { return end_.watch(watcher); }
  bool unwatch(batch_watcher& watcher) noexcept { return end_.unwatch(watcher); }
  void wait(const char* call);
  bool wait_until(std::chrono::steady_clock::time_point deadline, const char* call);
  void cancel() noexcept;
  batch_counts counts() const noexcept;
  std::vector<item_error> errors() const;
  std::optional<item_error> first_error() const;
  void rethrow_first_error() const;
  /// The handle lets go: the results may go as soon as the batch is done.
  void abandon() noexcept;
  bool has_result(std::uint64_t index) const noexcept;

  // --- the dispatcher's side
  /// Deals the items to `slots` lanes. Throws std::bad_alloc or what the key function throws.
  void route(runtime_core& core, std::size_t slots);
  void complete_if_empty() noexcept;
  /// After route(): the items that no earlier run has completed.
  std::uint64_t left_to_run() const noexcept { return positions_; }

  // --- the workers' side
  batch_lane& lane(std::size_t slot) noexcept { return lanes_[slot]; }
  bool is_cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  bool is_strict() const noexcept { return options_.strict; }
  const context_word& context() const noexcept { return context_; }
  priority urgency() const noexcept { return options_.urgency; }
  bool has_automatic_window() const noexcept { return options_.window == 0; }
  /// Whether the slot of `lane` may start an item, or could borrow the right to.
  bool may_start(const batch_lane& lane) const noexcept {
    return lane.live.load(std::memory_order_relaxed) < lane.window ||
           spare_window_.load(std::memory_order_seq_cst) > 0;  // [batch:spare]
  }
  /// A slot that goes to sleep gives back what it has borrowed and does not use. True: it did, and
  /// somebody else may start items with it.
  bool return_window(batch_lane& lane) noexcept;
  std::size_t slots() const noexcept { return slot_count_; }
  completion_recorder* recorder() const noexcept { return options_.recorder.get(); }

  /// Claims a chunk of the slot's lane and starts its items. False: nothing to claim, or no room.
  bool run_chunk(worker_slot& slot);
  /// Subtracts what the lane has finished.
  void flush(batch_lane& lane) noexcept;

  void item_failed(batch_lane& lane, std::uint64_t index, std::exception_ptr error) noexcept;
  void item_cancelled(batch_lane& lane, std::uint64_t index) noexcept;
  /// An item that had a record has ended in a step of `slot`.
  void finish_suspended(worker_slot& slot, promise_base& promise, std::uint64_t index) noexcept;
  void count_finished(worker_slot& slot, batch_lane& lane, std::uint64_t items) noexcept;

 protected:
  virtual ~batch_core();

  /// Starts the items at positions [first, last); returns where it stopped.
  virtual std::uint64_t start_items(worker_slot& slot, batch_lane& lane, std::uint64_t first,
                                    std::uint64_t last) = 0;
  /// Moves the result of an ended item to its place. Throws what the move throws.
  virtual void store_result(promise_base& promise, std::uint64_t index) = 0;
  /// The batch is done: the factory and the inputs may go.
  virtual void release_inputs() noexcept = 0;
  /// The batch is done and nobody can read its results any more.
  virtual void release_results() noexcept = 0;

  /// Ends an item that never suspended.
  void settle(batch_lane& lane, promise_base& promise, std::uint64_t index) noexcept;
  std::uint64_t index_of(std::uint64_t position) const noexcept {
    return identity_ ? position : permuted_index(position);
  }
  /// Whether the worker should look at other work before it starts more items.
  bool should_pause(worker_slot& slot) const noexcept;
  bool has_room(batch_lane& lane) noexcept {
    return lane.live.load(std::memory_order_relaxed) < lane.window || borrow_window(lane);
  }

 private:
  std::uint64_t permuted_index(std::uint64_t position) const noexcept;
  bool borrow_window(batch_lane& lane) noexcept;
  void leave_out_completed(std::size_t slots);
  void drop(batch_lane& lane, std::uint64_t first, std::uint64_t last) noexcept;
  void drop_positions(std::uint64_t first, std::uint64_t last) noexcept;
  void subtract(std::uint64_t items) noexcept;
  void complete() noexcept;
  void report_detached_errors() noexcept;
  std::uint64_t item_position(std::uint32_t unit) const noexcept {
    const std::uint64_t at = static_cast<std::uint64_t>(unit) << unit_shift_;
    return at < positions_ ? at : positions_;
  }

  // constant after route()
  const std::uint64_t total_;
  const context_word context_ = context_word::snapshot();  // one for all items, which borrow it
  std::uint64_t positions_;  // how many items there are to run: all but those of an earlier run
  dispatch_options options_;
  runtime_core* core_ = nullptr;
  // shared: the batch may outlive the runtime
  std::shared_ptr<const event_loop::exception_handler> handler_;
  std::size_t slot_count_ = 0;
  std::unique_ptr<batch_lane[]> lanes_;
  unsigned unit_shift_ = 0;  // a position of a range word stands for 2^unit_shift_ items
  bool identity_ = true;  // positions are indices
  position_map left_;  // unless empty, the items to run
  std::vector<std::uint64_t> order_;  // by key: the index at each position
  std::vector<std::uint64_t> starts_;  // round robin: the first position of each slot

  // shared
  std::atomic<std::uint32_t> references_{2};  // the handle's and the runtime's
  std::atomic<bool> cancelled_{false};
  std::atomic<std::int64_t> spare_window_{0};  // of a window set by hand: what no slot has borrowed
  batch_end end_;

  mutable std::mutex mutex_;
  std::vector<item_error> errors_;  // guarded by mutex_; by completion
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dropped_;  // guarded by mutex_; positions
  std::atomic<std::uint64_t> dropped_count_{0};  // counter only
  mutable bool errors_seen_ = false;  // guarded by mutex_
  std::exception_ptr lost_error_;  // guarded by mutex_: an error for which there was no memory
};

/// The record of an item that suspended.
class item_record final : public task_record {
 public:
  item_record(promise_base& of, event_loop& at, std::uint64_t item) noexcept
      : task_record(operations_table, of, at, 1) {
    set_item_index(item);
  }

 private:
  static void finish(task_record& record, execution& at) noexcept;
  static void destroy(task_record& record) noexcept;
  static const record_operations operations_table;
};

/// Stands for the item that is being started, until it suspends and needs a record.
class HARRIER_EXPORT item_source final : public record_source {
 public:
  explicit item_source(batch_core& of) noexcept
      : record_source{&item_source::make_item}, batch(of), context(of.context().lend()) {}

  batch_core& batch;
  context_word context;  ///< of the item; what it sets is its own
  std::uint64_t index = 0;
  bool made = false;

 private:
  static task_record& make_item(record_source& self, promise_base& root);
};

}  // namespace detail
}  // namespace harrier
