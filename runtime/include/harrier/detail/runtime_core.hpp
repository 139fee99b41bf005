// SPDX-License-Identifier: Apache-2.0
// The slots and the dispatcher behind a runtime.
//
// Threads     any.
// Protocol    who sleeps and who is woken: detail/idle_set.hpp.
#pragma once

#include <harrier/detail/arena_provider.hpp>
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/elastic_pool.hpp>
#include <harrier/detail/examination.hpp>
#include <harrier/detail/idle_set.hpp>
#include <harrier/detail/injection_queue.hpp>
#include <harrier/detail/memory_gauge.hpp>
#include <harrier/detail/placement.hpp>
#include <harrier/detail/press_target.hpp>
#include <harrier/detail/spawn_request.hpp>
#include <harrier/detail/stall_watch.hpp>
#include <harrier/detail/wait_watch.hpp>
#include <harrier/detail/worker_slot.hpp>
#include <harrier/metrics.hpp>
#include <harrier/runtime_options.hpp>
#include <harrier/task_ref.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace harrier::detail {

class HARRIER_EXPORT runtime_core {
 public:
  explicit runtime_core(runtime_options options);
  runtime_core(const runtime_core&) = delete;
  runtime_core& operator=(const runtime_core&) = delete;
  ~runtime_core();

  const runtime_options& options() const noexcept { return options_; }
  bool is_debug() const noexcept { return debug_; }
  const std::shared_ptr<const event_loop::exception_handler>& handler() const noexcept {
    return lobby_.handler();
  }
  std::size_t workers() const noexcept { return options_.workers; }
  /// The workers and the spare ones, which come after them.
  std::size_t slots() const noexcept { return slots_.size(); }
  clock& time() const noexcept { return *clock_; }
  double memory_used(time_point now) noexcept { return memory_.read(now); }
  worker_slot& slot(std::size_t index) noexcept { return *slots_[index]; }

  /// Routes `batch` and wakes workers. Throws runtime_stopped or std::bad_alloc: nothing has
  /// started.
  void dispatch(batch_core& batch);
  /// The same for a fresh batch, together with what watches its time. If that fails the batch goes: no
  /// handle has it yet.
  void hand_over(batch_core& batch);
  /// Takes the batch off the list once it is done.
  void forget(batch_core& batch) noexcept;

  /// Makes the record of a task and queues it. `wait_for_room`: block while the queue is full;
  /// otherwise null is returned then. Throws runtime_stopped: the task is untouched.
  task_record* spawn(promise_base& root, const spawn_request& request, bool wait_for_room);
  /// The same for one worker, to which the task is bound. Throws std::out_of_range, too, and
  /// std::system_error if that worker's thread cannot be started.
  task_record& spawn_on(std::size_t worker, promise_base& root, const spawn_request& request);

  void stop(const close_options& how);
  bool drain(std::chrono::steady_clock::time_point deadline);
  /// acquire: pairs with the release in stop(): whoever is refused comes after it  [core:stopped]
  bool is_stopped() const noexcept { return stopped_.load(std::memory_order_acquire); }
  runtime_metrics metrics();
  void trim() noexcept;
  std::vector<task_ref> all_tasks();
  diagnosis diagnose() { return lobby_.diagnose(); }

  // --- for workers
  std::uint64_t trims() const noexcept { return trims_.load(std::memory_order_relaxed); }
  bool is_ending() const noexcept {
    // seq_cst: the sleeper's second look, against the store before the wake  [core:ending]
    return ending_.load(std::memory_order_seq_cst);
  }
  std::uint64_t batches_version() const noexcept {
    return batches_version_.load(std::memory_order_seq_cst);  // [core:batches], second look
  }
  /// Copies the list of batches, with a reference for each, and gives its version. Without memory for
  /// all of them it copies the latest, which earlier ones may wait for, as many as `out` has room for,
  /// and gives a version of the past: the caller's next look tries again.
  std::uint64_t copy_batches(std::vector<batch_core*>& out) noexcept;
  /// Goes through the list from its end: the batch before `place`, which becomes its own place, with a
  /// reference; null: there is none. Whatever goes meanwhile, none is passed over; one may come twice.
  batch_core* batch_before(std::size_t& place) noexcept;
  /// Moves injected tasks to the queue of `slot`. False: there were none.
  bool take_injected(worker_slot& slot) noexcept;
  bool has_injected() const noexcept { return injected_.size() != 0; }
  std::size_t injected() const noexcept { return injected_.size(); }
  /// The same for what is addressed to `slot`.
  bool take_addressed(worker_slot& slot) noexcept;
  /// Throws std::out_of_range.
  void check_worker(std::size_t worker, const char* call) const;
  /// Starts the threads up to that one. Throws std::system_error.
  void require_thread(std::size_t worker, const char* call);
  /// Sends the task that suspends in `node`, on this thread, to another worker, which may resume it
  /// before this returns.
  void send(ready_node& node, task_record& record, std::size_t worker) noexcept;

  /// After a push to a worker's own queue: wakes or starts another worker, if one is hungry.
  void notify_local() noexcept {
    if (idle_.anyone_hungry_after_push()) [[unlikely]] {
      wake_one();
    }
  }
  void wake_one() noexcept;
  bool wake_sleeper() noexcept;
  void wake_all() noexcept;
  idle_set& idle() noexcept { return idle_; }
  void ends_search(bool found) noexcept;

  /// A worker has nothing to do: whoever waits for the runtime to come to rest looks again.
  void note_idle() noexcept {
    // seq_cst: after the end of each task that this worker ran; pairs with wait_for_rest()
    // [core:resting]
    if (resting_.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
      tell_resting();
    }
  }
  /// For workers, between two steps.
  void look_for_presses() noexcept {
    // relaxed: a hint; whoever sleeps looks again as press_target says
    if (presses_.may_be_pressed() || dumps_.may_be_pressed()) [[unlikely]] {
      deliver_press();
      deliver_dump();
    }
  }
  bool is_pressed() const noexcept { return presses_.is_pressed() || dumps_.is_pressed(); }

  /// Cancels every item of `batch` that has started.
  void cancel_items(batch_core& batch) noexcept;

  /// Null without pinning. For the workers: made before the first of their threads.
  const placement* where() const noexcept { return placement_.get(); }

  /// The thread of `slot` has been in one step for that long. On that of the watch.
  /// Gives the name of the task; "" if it is not known.
  std::string report_stall(worker_slot& slot, duration since) noexcept;
  /// Whether the slot was given a thread.
  bool has_thread(std::size_t slot) const noexcept;
  /// Every worker that has a thread is in a step that blocks, or takes too long: starts one more. True:
  /// none could be, and the handler has been told so, unless it `was_told`. On the thread of the watch.
  bool rescue(const std::string& culprits, bool was_told) noexcept;

  elastic_pool& blocking_pool() noexcept { return blocking_; }
  void offload(blocking_call& call);
  /// A thread that is set up as one of `at`, then does `work`. Throws std::system_error, std::bad_alloc and
  /// what the user's factory throws.
  std::thread make_thread(worker_slot& at, std::function<void()> work);
  /// Null: each slot has a thread of its own.
  arena_provider* provider() noexcept { return provider_.get(); }

 private:
  void start_thread();
  bool start_spare_worker(const std::string& culprits, bool was_told);
  void wake_spare_workers() noexcept;
  void start_threads(std::size_t wanted);
  void make_placement();
  void pin_worker(std::size_t worker) noexcept;
  bool has_room(const injection_queue& queue) const noexcept {
    return options_.queue_limit == 0 || refusing_ || queue.size() < options_.queue_limit;
  }
  /// What `request` says beyond the name, before the task can run.
  void complete(task_record& record, const spawn_request& request, std::uint32_t placing) noexcept;
  void wait_in_lobby(std::unique_lock<owned_mutex>& lobby, const injection_queue& queue,
                     const char* call);
  template <class Visit>
  void for_each_placed(Visit visit);
  template <class Visit>
  void for_each_live(Visit visit);
  template <class Visit>
  void for_each_named(Visit visit);
  template <class Visit>
  void for_each_listed(Visit visit);
  void add_all_live(examination& to);
  void cancel_everything() noexcept;
  void name_live(const char* what) noexcept;
  void refuse_work() noexcept;
  void insist(const char* what) noexcept;
  bool wait_for_rest(std::chrono::steady_clock::time_point deadline);
  HARRIER_NOINLINE void tell_resting() noexcept;
  HARRIER_NOINLINE void deliver_press() noexcept;
  HARRIER_NOINLINE void deliver_dump() noexcept;
  void report_diagnosis(const std::string& message) noexcept { lobby_.report_diagnosis(message); }
  void insist_later(duration delay) noexcept;
  void wake_in_handler() noexcept;
  void take_signals();
  void watch_for_stalls() noexcept;
  /// The name of the task with that context, which is not followed; "" if none has a record.
  std::string name_of_running(const void* context);
  void vacate_all() noexcept;
  bool at_rest() noexcept;
  std::uint64_t live_tasks() noexcept;

  struct arena;

  /// The workers' loops and the lobby, as one.
  class whole_view final : public wider_view {
   public:
    explicit whole_view(runtime_core& core) noexcept;
    runtime_core& core;
  };

  /// Told when a thread has blocked for long.
  class overdue_watch final : public wait_watch {
   public:
    explicit overdue_watch(runtime_core& core);
    runtime_core& core;
  };

  /// What the handler of the signal for dumps reaches.
  class dump_presses final : public press_target {
   public:
    explicit dump_presses(runtime_core& core) noexcept;
    runtime_core& core;
  };

  /// What the handler of a signal reaches.
  class pressed_runtime final : public press_target {
   public:
    explicit pressed_runtime(runtime_core& core) noexcept;
    runtime_core& core;
  };

  runtime_options options_;
  bool debug_;
  clock* clock_;
  owned_mutex lobby_mutex_;  // without an owner: all threads are alike
  whole_view view_{*this};
  event_loop lobby_;  // never runs: the home of tasks spawned from outside, until a worker has them
  std::unique_ptr<const placement> placement_;  // constant once the first thread starts
  std::vector<std::unique_ptr<worker_slot>> slots_;
  elastic_pool blocking_;
  memory_gauge memory_{options_.memory_used};

  std::mutex mutex_;
  std::condition_variable_any room_;  // queue_limit; with lobby_mutex_
  std::vector<batch_core*> batches_;  // guarded by mutex_; each holds a reference
  std::atomic<std::size_t> threads_{0};  // of workers; written under mutex_
  std::atomic<std::size_t> spare_threads_{0};  // of spare workers; written under mutex_
  bool refusing_ = false;  // written under mutex_ and lobby_mutex_, read under either
  std::unique_ptr<arena>
      arena_;  // guarded by mutex_, made at first use; unless there is a provider
  std::shared_ptr<arena_provider> provider_;  // constant after construction
  std::atomic<std::uint64_t> offloading_{0};  // calls on oneTBB's threads
  std::mutex stop_mutex_;  // one stop at a time
  pressed_runtime presses_{*this};
  dump_presses dumps_{*this};
  std::optional<signal_handlers> dump_handler_;  // as handlers_
  std::optional<signal_handlers> handlers_;  // made under mutex_, gone at the end of stop()
  std::atomic<bool> was_pressed_{false};
  std::atomic<bool> has_named_{false};  // what would not stop has been reported
  std::atomic<std::uint32_t> resting_{0};  // who waits for rest
  std::atomic<std::uint32_t> rest_epoch_{0};  // a futex: a worker had nothing to do

  alignas(64) injection_queue injected_;  // guarded by lobby_mutex_, like the slots' queues
  std::uint64_t handed_in_ = 0;  // guarded by lobby_mutex_
  alignas(64) std::atomic<std::uint64_t> batches_version_{0};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> ending_{false};
  std::atomic<std::uint64_t> trims_{0};
  idle_set idle_;
  std::atomic<std::uint64_t> stalls_{0};  // counter only
  std::unique_ptr<stall_watch> stall_watch_;  // made under mutex_, gone at the end of stop()
  std::optional<overdue_watch> watchdog_;  // last: it goes first
  friend class worker_slot;
};

}  // namespace harrier::detail
