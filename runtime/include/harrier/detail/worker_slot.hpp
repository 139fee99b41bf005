// SPDX-License-Identifier: Apache-2.0
// What a worker owns: its runner, its queues, its share of each batch. One thread occupies it; if that
// must wait in the middle of a step, another one does so meanwhile (deputies.hpp).
#pragma once

#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/deputies.hpp>
#include <harrier/detail/idle_set.hpp>
#include <harrier/detail/injection_queue.hpp>
#include <harrier/detail/intake_pace.hpp>
#include <harrier/detail/ready_class.hpp>
#include <harrier/detail/search_patience.hpp>
#include <harrier/detail/steal_deque.hpp>
#include <harrier/detail/stealable_queue.hpp>
#include <harrier/detail/victim_order.hpp>
#include <harrier/runner.hpp>

#include <array>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace harrier::detail {

class runtime_core;
class fork_group;
/// The coroutine that keeps a child's own context variables, in the place of the child.
using context_keeper = std::coroutine_handle<>(std::coroutine_handle<> child);

class HARRIER_EXPORT worker_slot {
 public:
  /// One of so many `slots`.
  worker_slot(runtime_core& core, std::size_t index, std::size_t slots);
  worker_slot(const worker_slot&) = delete;
  worker_slot& operator=(const worker_slot&) = delete;
  ~worker_slot();

  std::size_t index() const noexcept { return index_; }
  runtime_core& core() noexcept { return core_; }
  harrier::runner& runner() noexcept { return *runner_; }
  event_loop* loop() noexcept { return loop_.load(std::memory_order_acquire); }  // [slot:loop]

  promise_base* pop_child() noexcept { return deque_.pop(); }
  /// False: it may still be there, for pop_child().
  bool pop_child_quickly(const promise_base& child) noexcept { return deque_.pop_quickly(&child); }
  /// Undoes a pop: there is room.
  void put_back(promise_base& child) noexcept { deque_.push(&child); }

  /// Waits for `child`, which a thief has, below a coroutine that cannot suspend, while a deputy serves the
  /// slot. In a step of the slot's.
  void wait_in_step(const promise_base& child) noexcept;
  /// Runs one thing that is ready here, on top of a step that waits. False: nothing is. For the slot's
  /// thread, like the next two.
  bool help();
  /// Runs something, or looks for something to run; if there is nothing, sleeps for a moment: while
  /// another one of the slot's threads waits in a step.
  void serve_for_others();
  /// This thread has the slot now.
  void note_thread() noexcept;

  /// Whether something waits here that comes before new items of the normal class.
  bool has_ready() noexcept {
    return !ready_.empty() || !bound_.empty() || !deque_.empty() || high_.in_use();
  }

  /// Makes the loop and room for forked children, before the slot has a thread: whoever hands work
  /// in learns that there is no memory for it. Under the runtime's mutex.
  void prepare();
  /// The thread of the slot: serves until the runtime ends.
  void serve();

  enum class leaves : std::uint8_t { idle_or_ended, with_work };
  /// The same for a thread that comes for a while: serves until there is nothing to do here, until
  /// `slice` is over, or until the runtime ends.
  leaves occupy(duration slice);
  /// Lets go of everything, after the last thread has left.
  void close() noexcept;

  /// Queues an item that gives way without a record. For the slot's thread.
  void queue_given_way(ready_node& node) noexcept { ready_.push(node); }
  /// Makes records of the items that have given way, so that the list of live tasks has them. Any
  /// thread, while no task moves between slots. Throws std::bad_alloc.
  void record_those_given_way();

  /// Items have ended here, and their batch is to be told. One lane at a time waits for that.
  void mark_unflushed(batch_lane& lane) noexcept {
    if (unflushed_ != &lane) {
      flush();
      unflushed_ = &lane;
    }
  }
  /// Before a step that may block the thread for long: no batch is to wait for that with what has ended
  /// here. A step of an item holds up its own batch, `of`, in any case, so what ends of one batch is
  /// counted at once. For the slot's thread.
  void flush_before_step(const batch_core* of) noexcept {
    if (unflushed_ != nullptr && unflushed_->batch != of) {
      flush();
    }
  }

  bool has_stealable() noexcept {
    return !ready_.empty() || !deque_.empty() || !high_.open().empty() || !low_.open().empty();
  }
  bool wake() noexcept;
  /// The same where only atomics and a system call are allowed.
  void wake_in_handler() noexcept {
    if (event_loop* at = loop()) {
      sleeper_.wake(at->parker());
    }
  }
  /// So many injected tasks came at once. For the slot's thread.
  void note_intake(std::size_t tasks) noexcept { intake_.took(tasks); }
  /// For who watches for stalls: hints.
  std::uint32_t steps_begun() const noexcept { return tick_.load(std::memory_order_relaxed); }
  bool is_asleep() const noexcept {
    return sleeper_.is_set() || thread_id_.load(std::memory_order_relaxed) == 0;
  }
  bool is_asleep_without_timers() const noexcept {
    return is_asleep() && !left_timers_.load(std::memory_order_relaxed);  // hints
  }
  /// The system's number of the thread that is in the slot; 0: none.
  int thread_id() const noexcept { return thread_id_.load(std::memory_order_relaxed); }  // a hint

  /// Takes ready tasks over that have left another slot's lists. For the slot's thread.
  void take_over(std::span<ready_node* const> taken) noexcept;
  /// Held by the thread of this slot while it moves tasks between slots or queues; whoever holds it of
  /// every slot finds each task in one place.
  spin_mutex& moving() noexcept { return moving_; }
  /// What is on its way to this slot and no other. Under the lobby's mutex.
  injection_queue& addressed() noexcept { return addressed_; }

  class counters {
   public:
    std::atomic<std::uint64_t> steals_ranges{0};
    std::atomic<std::uint64_t> steals_children{0};
    std::atomic<std::uint64_t> steals_resumed{0};
    std::atomic<std::uint64_t> parks{0};
    std::atomic<std::uint64_t> wakes{0};
  };
  const counters& counts() const noexcept { return counts_; }

 private:
  friend class runtime_core;
  friend std::coroutine_handle<> offer(std::coroutine_handle<> child, context_keeper& keeper);
  friend class fork_group;

  static constexpr std::size_t batches_without_memory = 8;
  /// Tasks that cancels make ready side by side: a thief takes half of them, which pays for its way.
  static constexpr std::size_t cancels_at_once = 64;
  /// The batches of one class: a part of batches_, and whose turn is next.
  struct batch_class {
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t next = 0;
  };

  static void enqueue(event_loop& loop, ready_node& node) noexcept;
  HARRIER_NOINLINE void enqueue_placed(ready_node& node, std::uint32_t placing) noexcept;
  void place_held(ready_node& node, std::uint32_t placing) noexcept;
  void collect();

  bool serve_once();
  bool step();
  bool step_new();
  bool run_ready();
  bool run_high();
  bool run_low();
  bool run_passed_over();
  bool finds_high_batch();
  bool step_bound();
  HARRIER_NOINLINE void run_bound();
  HARRIER_NOINLINE void bring_more_cancels();
  bool step_node(ready_node* node);
  void run_node(ready_node& node);
  bool run_new_items(priority urgency);
  stealable_queue& open_queue(priority urgency) noexcept;
  batch_class& batches_of(priority urgency) noexcept {
    return batch_classes_[static_cast<std::size_t>(urgency)];
  }
  bool knows_of_no_end() noexcept;
  bool widen_windows() noexcept;
  time_point next_deadline() noexcept;
  bool search();
  bool outwait_reader();
  bool steal_range(worker_slot& victim);
  promise_base* steal_child(worker_slot& victim);
  ready_node* steal_resumed(worker_slot& victim, priority urgency);
  bool steal_from(worker_slot& victim, promise_base*& child, ready_node*& node);
  void run_child(promise_base& child);
  void flush() noexcept;
  HARRIER_NOINLINE void flush_before_node(ready_node& node) noexcept;
  void refresh_batches() noexcept;
  void sort_victims() noexcept;
  bool sees_work() noexcept;
  void open() noexcept;
  void finish() noexcept;
  bool park(time_point at_most = time_point::max());
  void nap();
  /// Pushes a forked child and lets a hungry worker know; or keeps it for its join, where there is no
  /// worker, or no memory. Gives the child.
  HARRIER_NOINLINE static std::coroutine_handle<> push_or_keep(
      std::coroutine_handle<> child) noexcept;
  HARRIER_NOINLINE std::coroutine_handle<> wake_for(std::coroutine_handle<> child) noexcept;
  bool keep_timers() noexcept;
  void stay_after_all() noexcept;
  std::uint32_t random() noexcept;

  // constant after construction
  runtime_core& core_;
  const std::size_t index_;

  alignas(64) spin_mutex moving_;
  owned_mutex mutex_;  // guards ready_ and the loop's list of live tasks

  // the slot's thread only
  std::optional<harrier::runner> runner_;
  bool is_prepared_ = false;  // under the mutex of the runtime, then of the thread
  std::atomic<event_loop*> loop_{nullptr};  // written once
  std::vector<batch_core*> batches_;  // each holds a reference; in the order of class
  std::vector<batch_core*> former_batches_;  // empty: keeps its room for the next list
  std::uint64_t batches_version_ = 0;
  std::array<batch_class, 3> batch_classes_;
  bool may_have_high_ = false;  // whether run_high() is worth a look
  batch_lane* unflushed_ = nullptr;
  std::atomic<std::uint32_t> tick_{0};  // steps begun; others read it as a hint
  std::uint32_t next_look_ = 1;  // the step that looks at the inbox
  std::uint64_t trims_seen_ = 0;
  std::uint32_t seed_;
  victim_order victims_;
  search_patience patience_;
  time_point ask_again_ = time_point::max();  // when a full window may have to grow
  search_patience room_patience_;  // with a reader who is behind
  intake_pace intake_;
  bool is_announced_ = false;  // the last thread left as one that sleeps
  bool has_kept_timers_ = false;
  ready_list bound_;
  counters counts_;
  std::thread thread_;  // guarded by the core's mutex
  deputies deputies_{*this};
  std::uint32_t naps_ = 0;  // in a row, up to a limit
  std::atomic<bool> left_timers_{false};  // it went to sleep with timers: a hint
  std::atomic<int> thread_id_{0};  // a hint to who watches

  // open to thieves
  steal_deque<promise_base> deque_;
  alignas(64) stealable_queue ready_{mutex_};
  ready_class high_{mutex_};
  ready_class low_{mutex_};
  injection_queue addressed_;
  sleeper_mark sleeper_;
};

/// The slot whose thread this is, or null.
HARRIER_READS_THREAD_LOCAL inline worker_slot* this_slot() noexcept { return running_slot; }

}  // namespace harrier::detail
