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

#include <harrier/batch_progress.hpp>
#include <harrier/detail/auto_window.hpp>
#include <harrier/detail/batch_end.hpp>
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/completion_recorder.hpp>
#include <harrier/detail/position_map.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/range_word.hpp>
#include <harrier/dispatch_options.hpp>
#include <harrier/event_loop.hpp>
#include <harrier/join_handle.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace harrier {

/// An item that failed for good, and how: an entry of the batch's dead-letter list.
class item_error {
 public:
  item_error(std::uint64_t at, std::exception_ptr thrown) noexcept
      : index(at), error(std::move(thrown)) {}
  std::uint64_t index;
  std::exception_ptr error;
  std::uint32_t attempts = 1;  ///< how often it was tried; the error is that of the last
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

class item_guard;

/// What one slot has of a batch. Its lines are written by that slot's thread, but for the range.
struct alignas(64) batch_lane {
  range_word range;  // thieves and cancels write it too

  alignas(64) class batch_core* batch = nullptr;  // slot's thread only, like all below
  std::uint32_t chunk = 1;  // positions to claim next
  bool is_starting = false;  // a chunk is under way, perhaps in a step that waits (deputies.hpp)
  std::uint64_t unflushed = 0;  // finished items not yet subtracted from `remaining`
  std::uint64_t partial_first = 0;  // what is left of a claim whose positions stand for many items
  std::uint64_t partial_last = 0;
  std::size_t slot = 0;  // constant after route()
  // How many may be live: for a window set by hand, what was borrowed. Others read it as a hint.
  std::atomic<std::int64_t> window{0};
  // counters, read by others as hints
  std::atomic<std::int64_t> live{0};  // started here minus finished here, of those that suspended
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> completed{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> cancelled{0};
  // Slot's thread only: what `window` has of the automatic limit.
  std::int64_t limit = 0;
  std::int64_t excess = 0;  // how much more than `window` is live, as the others were told
  std::uint32_t chunks_since_look = 0;
};

inline void add_to(std::atomic<std::int64_t>& counter, std::int64_t by) noexcept {
  // counter only: one writer, so a load and a store
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

inline void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  // counter only: one writer, so a load and a store
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

class HARRIER_EXPORT batch_core {
 public:
  static constexpr std::int64_t automatic_window = 1024;
  /// The smallest that latency alone may make it.
  static constexpr std::int64_t least_automatic_window = 64;
  /// So that the time is read rarely.
  static constexpr std::uint32_t chunks_per_look = 8;
  /// Whether an item that has ended may keep its place in the window.
  static constexpr bool results_take_room = false;
  /// The total of a batch whose input ends when it ends.
  static constexpr std::uint64_t open_ended = (std::uint64_t{1} << 62) + 1;

  /// Throws std::invalid_argument for options that contradict each other.
  batch_core(std::uint64_t total, dispatch_options options);
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

  // --- the handle's side, and that of a batch whose input this one is
  /// How many items there are; of an open-ended batch, how many have been pulled so far.
  std::uint64_t total() const noexcept {
    return is_open_ended() ? pulled_.load(std::memory_order_relaxed) : total_;  // hint until done
  }
  bool is_open_ended() const noexcept { return total_ == open_ended; }
  bool is_done() const noexcept { return end_.is_done(); }
  bool watch(batch_watcher& watcher) noexcept { return end_.watch(watcher); }
  bool unwatch(batch_watcher& watcher) noexcept { return end_.unwatch(watcher); }
  void wait(const char* call);
  bool wait_until(std::chrono::steady_clock::time_point deadline, const char* call);
  void cancel() noexcept { close(cancelled_bit, nullptr); }
  /// The same with what get() throws then. False: the batch was done or cancelled before.
  bool cancel_because(std::exception_ptr reason) noexcept {
    return close(cancelled_bit, std::move(reason));
  }
  void drop_unstarted() noexcept { close(dropped_bit, nullptr); }
  void pause() noexcept;
  void resume_items() noexcept;
  bool is_paused() const noexcept { return (halt_bits() & paused_bit) != 0; }
  /// How many items may be started and unfinished at once, now.
  std::uint64_t window() const noexcept;
  batch_progress progress() const noexcept;
  batch_counts counts() const noexcept;
  /// To the doctor, for who waits for it. Throws std::bad_alloc.
  void tell(wait_facts& facts) const;
  std::vector<item_error> errors() const;
  std::optional<item_error> first_error() const;
  void rethrow_first_error() const;
  /// The same for whoever has had the results one by one, and does not miss those of failed items
  /// if all errors are collected, nor what was dropped on purpose.
  void rethrow_at_end() const;
  /// The handle lets go: the results may go as soon as the batch is done.
  void abandon() noexcept;
  bool has_result(std::uint64_t index) const noexcept;

  // --- the dispatcher's side
  /// Deals the items to `slots` lanes. Throws std::bad_alloc or what the key function throws.
  void route(runtime_core& core, std::size_t workers, std::size_t slots);
  void complete_if_empty() noexcept;
  /// After route(): the items that no earlier run has completed.
  std::uint64_t left_to_run() const noexcept { return positions_; }
  runtime_core& runtime() const noexcept { return *core_; }
  const dispatch_options& options() const noexcept { return options_; }
  /// A task that is cancelled when the batch is done, or now if it is.
  void accompany(join_handle<void> companion);
  time_point began() const noexcept { return began_; }
  item_guard* guard() const noexcept { return guard_.get(); }

  // --- the input's side
  /// The batch has begun: whatever brings its input may begin, too. Throws what stands in the way.
  virtual void start_input() {}
  /// The input has failed at that position: what has started ends, and get() throws `error`.
  void input_failed(std::uint64_t position, std::exception_ptr error) noexcept;
  /// The input, which had nothing, has something now, or has ended.
  virtual void input_has_more() noexcept {}
  /// One thing more, or less, to wait for than the items.
  void await_one_more() noexcept { end_.expect_one_more(); }
  void one_less() noexcept { subtract(1); }

  // --- the workers' side
  batch_lane& lane(std::size_t slot) noexcept { return lanes_[slot]; }
  bool is_cancelled() const noexcept { return (halt_bits() & cancelled_bit) != 0; }
  /// Whether nothing starts now, for whatever reason: the one question in the hot path.
  bool is_halted() const noexcept { return halt_bits() != 0; }
  /// No item starts any more: what is claimed is dropped.
  bool is_closed() const noexcept {
    return (halt_bits() & (cancelled_bit | dropped_bit | exhausted_bit)) != 0;
  }
  /// No item starts for now: paused, or the input has none yet.
  bool is_held() const noexcept { return is_halted() && !is_closed(); }
  bool is_strict() const noexcept { return options_.strict; }
  const context_word& context() const noexcept { return context_; }
  priority urgency() const noexcept { return options_.urgency; }
  bool has_automatic_window() const noexcept { return options_.window == 0; }
  /// Whether the slot of `lane` may start an item, or could borrow the right to.
  bool may_start(const batch_lane& lane) const noexcept {
    // seq_cst: the sleeper's second look, against the store before the wake  [batch:halt]
    if (const std::uint32_t halt = halt_.load(std::memory_order_seq_cst);
        halt != 0 && (halt & (cancelled_bit | dropped_bit | exhausted_bit)) == 0) {
      return false;
    }
    // relaxed: the slot's own, which its thread wrote
    return lane.live.load(std::memory_order_relaxed) <
               lane.window.load(std::memory_order_relaxed) ||
           spare_window_.load(std::memory_order_seq_cst) > 0;  // [batch:spare]
  }
  /// Whether the slot of `lane` has items that only a reader who is behind keeps from starting.
  bool waits_for_reader(const batch_lane& lane) const noexcept {
    return has_items(lane) && !is_halted() && !may_start(lane) && is_reader_behind();
  }
  /// Widens an automatic window that is full while the slot's worker has nothing else to do, if it may.
  /// False: not now; if it is only too early, `ask_again` is at most when to ask. `is_idle`: the worker
  /// knows of nothing that could end an item by itself.
  bool widen(batch_lane& lane, bool is_idle, time_point& ask_again) noexcept;
  /// A slot that goes to sleep gives back what it has borrowed and does not use. True: it did, and
  /// somebody else may start items with it.
  bool return_window(batch_lane& lane) noexcept;
  std::size_t slots() const noexcept { return slot_count_; }
  completion_recorder* recorder() const noexcept { return options_.recorder.get(); }
  /// Null without a recorder.
  slot_runs* runs(std::size_t slot) noexcept { return runs_.empty() ? nullptr : &runs_[slot]; }

  /// Claims a chunk of the slot's lane and starts its items. False: nothing to claim, or no room.
  bool run_chunk(worker_slot& slot);
  /// Subtracts what the lane has finished.
  void flush(batch_lane& lane) noexcept;

  /// Ends an item that never suspended.
  void settle(batch_lane& lane, promise_base& promise, std::uint64_t index) noexcept;
  void settle_here(batch_lane& lane, promise_base& promise, std::uint64_t index) noexcept;
  void item_failed(batch_lane& lane, std::uint64_t index, std::exception_ptr error) noexcept;
  void item_cancelled(batch_lane& lane, std::uint64_t index) noexcept;
  /// An item that had suspended has ended in a step of `slot`. `was_cancelled`: by a cancel that it
  /// never saw, if it returned a value.
  void finish_suspended(worker_slot& slot, promise_base& promise, std::uint64_t index,
                        bool was_cancelled) noexcept;
  /// Whether an item that gives way can do without a record: nobody wants to know its place, its class
  /// or its line.
  bool may_give_way() const noexcept { return may_give_way_; }
  void count_finished(worker_slot& slot, batch_lane& lane, std::uint64_t items) noexcept;

 protected:
  virtual ~batch_core();

  /// Starts the items at positions [first, last); returns where it stopped.
  virtual std::uint64_t start_items(worker_slot& slot, batch_lane& lane, std::uint64_t first,
                                    std::uint64_t last) = 0;
  /// Moves the result of an ended item to its place. Throws what the move throws.
  virtual void store_result(batch_lane& lane, promise_base& promise, std::uint64_t index) = 0;
  /// An item has ended, and there is no result to store.
  virtual void item_lost(batch_lane& /*lane*/, std::uint64_t /*index*/) noexcept {}
  /// The batch is done: the factory and the inputs may go.
  virtual void release_inputs() noexcept = 0;
  /// The batch is done and nobody can read its results any more.
  virtual void release_results() noexcept = 0;
  /// Makes what there is for each slot. Throws std::bad_alloc.
  virtual void prepare(std::size_t /*slots*/) {}
  /// Before what the lane has finished is counted.
  virtual void before_flush(batch_lane& /*lane*/) noexcept {}
  /// The batch is done, and says so.
  virtual void completed() noexcept {}
  /// A cancel has come, and wants to go on to where the input comes from.
  virtual void cancel_input() noexcept {}
  /// Whether results that somebody has not taken yet hold a part of the window.
  virtual bool is_reader_behind() const noexcept { return false; }
  /// Whether a reader takes the results one by one, of blocks for which the window must have room.
  virtual bool is_reader_bound() const noexcept { return false; }
  /// Whether an automatic window may grow: not while it is the reader who is slow.
  virtual bool may_widen() const noexcept { return true; }

  /// Whether positions are indices, and nobody has to be told which items have completed.
  bool is_plain() const noexcept { return identity_ && options_.recorder == nullptr; }
  std::uint64_t index_of(std::uint64_t position) const noexcept {
    return identity_ ? position : permuted_index(position);
  }
  /// The index of `position`, and as many as follow it one by one, of the positions below `last`.
  index_range indices_at(std::uint64_t position, std::uint64_t last) const noexcept;
  /// Whether the worker should look at other work before it starts more items.
  bool should_pause(worker_slot& slot) const noexcept;
  bool has_room(batch_lane& lane) noexcept {
    return lane.live.load(std::memory_order_relaxed) <
               lane.window.load(std::memory_order_relaxed) ||
           borrow_window(lane);
  }

  /// How many items the lane may start, at least; after has_room().
  std::uint64_t room(const batch_lane& lane) const noexcept {
    const std::int64_t left =
        lane.window.load(std::memory_order_relaxed) - lane.live.load(std::memory_order_relaxed);
    return left > 0 ? static_cast<std::uint64_t>(left) : 1;
  }

  /// The input has ended.
  void input_ended() noexcept { close(exhausted_bit, nullptr); }
  /// The input has nothing yet. Undone by input_ready().
  void hold_for_input() noexcept { halt_.fetch_or(dry_bit, std::memory_order_seq_cst); }
  void input_ready() noexcept { release_hold(dry_bit); }
  void count_pulled(std::uint64_t items) noexcept { bump(pulled_, items); }  // under a lock
  /// Gives window back that left the lanes.
  void give_window(std::int64_t credits) noexcept;
  /// The results cannot be had: get() throws that.
  void lose_results(std::exception_ptr why) noexcept;
  void subtract(std::uint64_t items) noexcept;

  std::unique_ptr<item_guard> guard_;

 private:
  std::uint64_t permuted_index(std::uint64_t position) const noexcept;
  bool borrow_window(batch_lane& lane) noexcept;
  static bool has_items(const batch_lane& lane) noexcept {
    return !lane.range.empty() || lane.partial_first != lane.partial_last;
  }
  /// Looks after an automatic window in passing.
  void tune_window(batch_lane& lane) noexcept;
  void apply_limit(batch_lane& lane) noexcept;
  void balance_window(batch_lane& lane) noexcept;
  window_sample sample_window() const noexcept;
  void leave_out_completed(std::size_t slots);
  void drop(batch_lane& lane, std::uint64_t first, std::uint64_t last) noexcept;
  bool drop_left(batch_lane& lane) noexcept;
  void drop_positions(std::uint64_t first, std::uint64_t last) noexcept;
  std::uint64_t drop_lanes() noexcept;
  bool close(std::uint32_t bit, std::exception_ptr reason) noexcept;
  void release_hold(std::uint32_t bit) noexcept;
  bool exceeds_tolerance() const noexcept;
  std::uint32_t halt_bits() const noexcept {
    return halt_.load(std::memory_order_relaxed);  // hint: who must not miss it reads [batch:halt]
  }
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
  std::size_t worker_count_ = 0;  // which the items are dealt to
  std::size_t slot_count_ = 0;  // with the spare workers', each of which has a lane, too
  std::unique_ptr<batch_lane[]> lanes_;
  unsigned unit_shift_ = 0;  // a position of a range word stands for 2^unit_shift_ items
  bool identity_ = true;  // positions are indices
  bool may_give_way_ = false;
  position_map left_;  // unless empty, the items to run
  std::deque<slot_runs> runs_;  // unless empty, one for each slot; closed once the batch is done
  std::vector<std::uint64_t> order_;  // by key: the index at each position
  std::vector<std::uint64_t> starts_;  // round robin: the first position of each slot

  // shared
  std::atomic<std::uint32_t> references_{2};  // the handle's and the runtime's
  // Why nothing starts. Closed for good: cancelled, dropped (those that run go on), exhausted (the
  // input has ended). For now: paused, dry (the input has nothing yet).
  static constexpr std::uint32_t cancelled_bit = 1;
  static constexpr std::uint32_t dropped_bit = 2;
  static constexpr std::uint32_t exhausted_bit = 4;
  static constexpr std::uint32_t paused_bit = 8;
  static constexpr std::uint32_t dry_bit = 16;
  std::atomic<std::uint32_t> halt_{0};
  // Of a window set by hand: what no slot has borrowed; less than nothing, of an automatic one: what slots
  // have beyond their windows (batch_lane::excess) and others have not made up for. On another line than halt_, which each item reads.
  alignas(64) std::atomic<std::int64_t> spare_window_{0};
  auto_window auto_window_;
  batch_end end_;

  mutable std::mutex mutex_;
  std::vector<item_error> errors_;  // guarded by mutex_; by completion
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dropped_;  // guarded by mutex_; positions
  std::atomic<std::uint64_t> dropped_count_{0};  // counter only
  mutable bool errors_seen_ = false;  // guarded by mutex_
  std::exception_ptr lost_error_;  // guarded by mutex_: an error for which there was no memory
  std::exception_ptr reason_;  // guarded by mutex_: what get() throws before all else
  bool is_cut_short_ = false;  // guarded by mutex_: cancelled before an open-ended input had ended
  std::uint64_t failures_ = 0;  // guarded by mutex_; cancels are none
  std::vector<join_handle<void>> companions_;  // guarded by mutex_
  std::atomic<std::uint64_t> pulled_{0};  // counter only
  time_point began_{};  // constant after route()
  time_point ended_{};  // written before [batch:done]
  clock* clock_ = nullptr;  // constant after route()
};

/// The record of an item that suspended.
class item_record final : public task_record {
 public:
  item_record(promise_base& of, event_loop& at, std::uint64_t item) noexcept
      : task_record(operations_table, of, at, 0) {
    set_item_index(item);
  }

  /// The batch of the item that a ready node goes on with, one with a record; null: it is no item's.
  static const batch_core* batch_of(ready_node& node) noexcept;

 private:
  static void finish(task_record& record, execution& at) noexcept;
  static void destroy(task_record& record) noexcept;
  static const record_operations operations_table;
};

/// Stands for the record of an item that runs and has none: one that is being started, or that goes on
/// after it gave way.
class HARRIER_EXPORT item_source final : public record_source {
 public:
  explicit item_source(batch_core& of) noexcept
      : record_source{&item_source::make_item, &item_source::give_way},
        batch(of),
        context(of.context().lend()) {}
  /// Of an item that gave way.
  item_source(batch_core& of, std::uint64_t at) noexcept : item_source(of) {
    index = at;
    counted = true;
  }

  batch_core& batch;
  context_word context;  ///< of the item; what it sets is its own
  std::uint64_t index = 0;
  bool counted = false;  ///< as one that started and has suspended
  bool left = false;  ///< the item needs it no more: it has a record, or has given way

 private:
  static task_record& make_item(record_source& self, promise_base& root);
  static bool give_way(record_source& self, suspension& node, promise_base& root, promise_base& of);
  void count(worker_slot& slot) noexcept;
};

}  // namespace detail
}  // namespace harrier
