// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/callback_handle.hpp>
#include <harrier/clock.hpp>
#include <harrier/context.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/detail/describe.hpp>
#include <harrier/detail/execution.hpp>
#include <harrier/detail/frame_count.hpp>
#include <harrier/detail/inbox.hpp>
#include <harrier/detail/parker.hpp>
#include <harrier/detail/ready_node.hpp>
#include <harrier/detail/record_list.hpp>
#include <harrier/detail/timer_heap.hpp>
#include <harrier/diagnosis.hpp>
#include <harrier/errors.hpp>
#include <harrier/task.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iosfwd>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace harrier {

template <class T>
class join_handle;
class task_ref;

namespace detail {
class press_target;
struct wider_view;

/// What a runner calls the task that it runs. A record needs no memory for this name.
inline constexpr std::string_view main_name = "main";
/// Makes the record of a task that is run or spawned. On failure the frame is untouched.
/// The unlisted one is not yet among the live tasks of its loop, and can still be taken back.
HARRIER_EXPORT task_record& make_unlisted_root_record(promise_base& root, event_loop& home,
                                                      std::string_view name);
HARRIER_EXPORT void take_back_unlisted(task_record& record) noexcept;
HARRIER_EXPORT task_record& make_root_record(promise_base& root, event_loop& home,
                                             std::string_view name);
/// The same from any thread: the loop lists the record when it arrives there. Throws loop_closed.
HARRIER_EXPORT task_record& submit_root_record(promise_base& root, event_loop& home,
                                               std::string_view name);
/// Runs the first step of a task here and now, if this thread runs its loop and not too many such
/// steps are nested already; else queues it.
HARRIER_EXPORT void start_eagerly(task_record& record, event_loop& loop) noexcept;
/// Ends the wait of a task that will not be resumed. Gives its node if that was granted something and
/// is on its way to the loop's queue, from where it can be discarded.
HARRIER_EXPORT const ready_node* end_wait_for_good(task_record& record) noexcept;
/// Ends a task that can be neither resumed nor cancelled: destroys its frame, and all it owns.
HARRIER_EXPORT void destroy_where_it_waits(task_record& record) noexcept;
}  // namespace detail

/// Asks `spawn` to run the first step of the task at once, inside the call.
class eager_start {
 public:
  explicit constexpr eager_start() noexcept = default;
};
inline constexpr eager_start eager{};

/// The ready queue, the timers and the place to wait of one thread. Made by a `runner`; costs
/// nothing but its own bytes until it is used: timers are made with the first timer.
///
/// Threads   post(), submit() and cancels from any thread; everything else from the thread that runs the
///           loop, or, while nobody runs it, from the one that owns the runner.
/// Order     what is ready runs first in, first out. One turn runs what was ready at its start, so
///           that nothing which requeues itself starves timers or posts. Timers run in the order of
///           their deadlines, first in first out among equals.
class HARRIER_EXPORT event_loop {
 public:
  using exception_handler = std::function<void(const error_report&)>;

  /// Used by runners. `time` outlives the loop.
  explicit event_loop(clock& time, exception_handler handler = {});
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  ~event_loop();

  /// The time on the loop's clock.
  time_point now() noexcept { return clock_->now(); }

  /// Calls `callback` on the loop, in the order of this thread's posts, and wakes the loop if it
  /// sleeps. Many posts to a sleeping loop cost one wake. Any thread.
  ///
  /// Errors   loop_closed or std::bad_alloc: the callback is not called. What the callback throws
  ///          goes to the exception handler.
  /// Memory   what happened before post() happens before the callback.
  void post(std::function<void()> callback);

  /// The same from the loop's own thread, without a wake, and with a handle that can call it off.
  callback_handle call_soon(std::function<void()> callback);

  /// Calls `callback` once `delay` is over, in the next turn if it is not positive.
  ///
  /// Order    by deadline; first in first out among equals.
  /// Errors   loop_closed, std::bad_alloc; wrong_thread: another thread runs the loop.
  /// Cost     two allocations at most, and 16 bytes in the loop's heap; O(log timers).
  callback_handle call_later(duration delay, std::function<void()> callback);
  /// The same at a time on the loop's clock.
  callback_handle call_at(time_point when, std::function<void()> callback);

  /// Ends the current `run()` after this turn; it throws `loop_stopped` unless its task has ended.
  void stop() noexcept;

  /// Starts `work` as a task of its own, in its turn. The loop owns it: dropping the handle
  /// detaches.
  template <class T>
  join_handle<T> spawn(task<T> work, std::string_view name = {},
                       std::source_location where = std::source_location::current());
  /// The same in `where`, instead of a copy of the caller's context.
  template <class T>
  join_handle<T> spawn(task<T> work, const context& where, std::string_view name = {},
                       std::source_location site = std::source_location::current());

  /// The same with the first step inside the call, in the task's own record: one that ends in it
  /// never enters the queue. What it throws is the task's error, not the caller's.
  ///
  /// While 16 such steps are nested, or on a thread that does not run this loop, the task is queued.
  template <class T>
  join_handle<T> spawn(eager_start how, task<T> work, std::string_view name = {},
                       std::source_location where = std::source_location::current());

  /// Starts `work` as a task on this loop from any thread, and wakes the loop if it sleeps. The
  /// handle's wait(), wait_for() and get() block a thread of ordinary code; on a thread that runs
  /// a loop, this one included, they throw blocking_in_loop.
  ///
  /// Order    tasks of one thread start in the order in which it submitted them, once a run goes on.
  /// Errors   loop_closed: the task has not started. One that has not started when the loop closes
  ///          never does, and ends as cancelled.
  /// Memory   what happened before submit() happens before the task.
  template <class T>
  join_handle<T> submit(task<T> work, std::string_view name = {});

  bool is_closing() const noexcept { return held_reports_ != nullptr; }
  bool is_closed() const noexcept { return closed_; }
  /// A hint, except to the thread that runs the loop.
  bool is_running() const noexcept { return running_.load(std::memory_order_relaxed); }

  /// How many tasks that were started here have not ended.
  std::size_t live_tasks() noexcept { return live_.size(); }
  /// Those tasks, in the order in which they came, as of now.
  std::vector<task_ref> all_tasks();

  /// What each of those tasks waits for, and who waits in a circle; on a worker of a runtime, of all its
  /// tasks. Nothing is stopped for it; a task that waits is held still for a moment.
  ///
  /// Errors   std::bad_alloc; wrong_thread: another thread runs the loop. A worker's takes any.
  /// Cost     microseconds for each task.
  /// Example  docs/doctor.md
  diagnosis diagnose();
  /// The same as text.
  void dump(std::ostream& out);

  // --- For the runner, the runtime and the awaiters of this library

  /// Makes `node` ready: on this thread's own loop at the back of the queue, else by a post. A
  /// closed loop discards it.
  void enqueue(detail::ready_node& node) noexcept;

  /// Puts `node` into the inbox and wakes the loop. False: closed, and the node is untouched.
  bool post_node(detail::ready_node& node) noexcept;

  /// Sends a ready node somewhere else than the plain queue: how a runtime makes queues stealable.
  using enqueue_hook = void (*)(event_loop& loop, detail::ready_node& node) noexcept;
  void install(enqueue_hook hook, detail::worker_slot& slot, detail::owned_mutex& guard) noexcept;

  /// Debug mode: watches each step. Before the first.
  void watch_steps(duration slow) noexcept {
    debug_ = true;
    slow_step_ = slow;
  }
  bool is_debug() const noexcept { return debug_; }

  /// The tasks of others are looked at together with those of this loop. Before the first.
  void widen_view(detail::wider_view& view) noexcept { view_ = &view; }
  /// Tells once what its tasks wait for whenever nothing has run for that long; 0: never.
  void watch_silence(duration longest) noexcept { longest_silence_ = longest; }
  /// Tells what its tasks wait for when that is pressed, while it runs; null: never.
  void watch_dumps(detail::press_target* presses) noexcept { dumps_ = presses; }
  /// Tells the handler what its tasks wait for, with what there is to be said of it.
  void report_diagnosis(const std::string& message) noexcept;

  /// Whose presses this loop looks for while it runs; null: nobody's.
  void watch_signals(detail::press_target* presses) noexcept { presses_ = presses; }

  detail::execution& execution() noexcept { return execution_; }
  detail::parker& parker() noexcept { return parker_; }
  detail::inbox& inbox() noexcept { return inbox_; }
  detail::timer_heap& timers() noexcept { return timers_; }
  detail::record_list& live() noexcept { return live_; }
  clock& time() noexcept { return *clock_; }

  /// Runs one node to its next suspension, and releases the task that ended in it.
  void step(detail::ready_node& node);
  /// Makes what was posted, and the timers that are due, ready.
  void collect();
  /// Runs until `main` has ended and everything that was ready then has run. Gives the signal that
  /// cancelled it, or 0.
  int run_until_complete(detail::task_record& main);
  /// Runs for `drain`, cancels every task, runs until all have ended, reports those that have not
  /// after `limit`. Refuses posts then.
  void close(duration drain, duration limit);
  void close(duration grace) { close(duration::zero(), grace); }

  /// Reports every live task by name, with what is to be said of it.
  void name_live(const char* what) noexcept;

  void report(error_report told) noexcept;
  void report(std::string message, std::exception_ptr error, std::string task_name) noexcept;
  /// Who is told; null: stderr. Shared with what may report after the loop has gone.
  const std::shared_ptr<const exception_handler>& handler() const noexcept { return handler_; }

 private:
  void check_thread(const char* call) const;
  template <class T>
  detail::task_record& make_task(task<T>& work, std::string_view name, std::source_location where);
  HARRIER_NOINLINE void watched_step(detail::ready_node& node);
  void run_while_live(time_point latest);
  bool is_pressed() const noexcept;
  bool wants_dump() const noexcept;
  void sleep_until(time_point latest);
  deadlock explained(const deadlock& bare) noexcept;
  HARRIER_NOINLINE bool sleep_watched(time_point latest);
  HARRIER_NOINLINE void dump_for_signal() noexcept;
  int take_press(detail::task_record& main, bool is_first);
  void run_turn();
  void wait_until(time_point latest);
  void cancel_all() noexcept;
  void end_waits_for_good() noexcept;
  void end_all(duration drain, duration limit);

  // constant after construction
  clock* clock_;
  std::shared_ptr<const exception_handler> handler_;
  enqueue_hook hook_ = nullptr;

  // the loop's thread only
  detail::execution execution_;
  detail::counted_frames counted_frames_;
  detail::ready_list ready_;
  detail::timer_heap timers_;
  bool closed_ = false;
  std::vector<error_report>* held_reports_ =
      nullptr;  // set while closing: told once all have ended
  bool stopping_ = false;
  bool debug_ = false;
  duration slow_step_{};
  detail::press_target* presses_ = nullptr;
  detail::press_target* dumps_ = nullptr;
  detail::wider_view* view_ = nullptr;
  duration longest_silence_{};

  // any thread
  detail::record_list live_;
  std::atomic<bool> running_{false};  // counter only: a hint to readers
  alignas(64) detail::inbox inbox_;  // a line of its own: others write it while the loop runs
  std::atomic<std::uint32_t> posting_{0};  // threads inside post_node()
  detail::parker parker_;
};

namespace detail {
/// To stderr if there is no handler.
HARRIER_EXPORT void report_to(const event_loop::exception_handler* handler,
                              const error_report& report) noexcept;
/// To the handler of the running loop if there is one, else to stderr.
HARRIER_EXPORT void report_error(error_report report) noexcept;
HARRIER_EXPORT void report_error(const char* message, std::exception_ptr error,
                                 std::string task_name) noexcept;
}  // namespace detail

/// The loop that runs on this thread. Throws no_running_loop.
HARRIER_EXPORT event_loop& this_loop();

}  // namespace harrier

#include <harrier/join_handle.hpp>
