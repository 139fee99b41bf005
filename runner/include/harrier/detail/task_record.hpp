// SPDX-License-Identifier: Apache-2.0
// The record of a task: what exists for a coroutine that was run or spawned, and for a batch item
// or a forked child once it really suspends. Awaited children have none of their own.
//
// Threads     any thread may cancel(); the state word decides. Everything else belongs to the
//             thread that runs the task, or to the loop of its wait.
// Protocol    state word, low bits:
//   phase     active      runs, or is queued to run
//             waiting     suspended; a waker or a canceller may end it       set by the task
//             cancelling  a canceller has won and posted the record to `home` set by a canceller
//             withdrawing the loop is taking the node back                   set by the loop
//             done        has ended, is_done() soon                          set by the task
//   woken     the waker came while the loop was withdrawing; the loop enqueues for it
//   due       a cancel is requested and not yet delivered
//   posted    the record is linked in some loop's inbox, on account of a cancel
//   main      the task is the one that a runner was asked to run          set at birth
//   bound     the task stays on its worker           set at birth, or by the task while it runs
//   high_priority, low_priority: its class, if it is not the normal one   set at birth
//   withdrawn a wait was taken back for the cancel that is due: the resume must throw it
//   error_taken  somebody has what the task threw           set by any taker, after the end
//   requests  how many cancels are outstanding (bits 12 and up); sticks at the most that fit
//
//             active -> waiting                       begin_wait (task), unless due
//             waiting -> active, enqueue              wake
//             waiting -> cancelling, post             cancel
//             cancelling -> active, enqueue           wake (the waker was first to the node)
//             cancelling -> withdrawing               loop, then
//               node taken back, or woken -> active, run with the cancel due
//               too late -> cancelling                the waker is on its way and enqueues
//               passed on -> waiting, not due         what it waits for was cancelled instead
//             due -> not due                          deliver (task), or uncancel (anybody) of one
//                                                     that has not ended a wait: active, not withdrawn
// Rejected    withdrawing without a phase of its own: a waker could enqueue the node, a thief
//             resume it, and the loop would read a frame that is gone.
#pragma once

#include <harrier/cancellation.hpp>
#include <harrier/clock.hpp>
#include <harrier/detail/context_word.hpp>
#include <harrier/detail/execution.hpp>
#include <harrier/detail/frame_cache.hpp>
#include <harrier/detail/ready_node.hpp>
#include <harrier/detail/task_end.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

namespace harrier {
class event_loop;
class error_report;
}  // namespace harrier

namespace harrier::detail {

struct promise_base;
struct suspension;
class record_list;
class task_record;

/// What differs between a spawned task, a batch item and a forked child.
struct record_operations {
  ready_operations ready;
  /// The body has ended; its result is in the promise. Called while it is suspended at its end.
  void (*finish)(task_record& record, execution& at) noexcept;
  /// The last reference is gone: destroys the frame if it is owned, and frees the record.
  void (*destroy)(task_record& record) noexcept;
  bool joinable;  ///< whether others may wait for its end
};

/// What few tasks have: kept out of the record's own bytes.
struct record_extras {
  std::string name;  ///< set before the task can run
  std::optional<std::source_location> spawned_at;  ///< likewise, in debug mode
  std::optional<time_point> spawned_when;  ///< set before the task can run
  /// Of the loop where the task failed, while somebody could still take the error. Set by the task.
  std::shared_ptr<const std::function<void(const error_report&)>> handler;
  std::mutex mutex;
  std::shared_ptr<const std::string> cancel_message;  ///< guarded by mutex
};

class task_record : public ready_node {
 public:
  static constexpr std::uint32_t phase_mask = 7;
  enum phase : std::uint32_t { active = 0, waiting = 1, cancelling = 2, withdrawing = 3, done = 4 };
  static constexpr std::uint32_t woken = 8;
  static constexpr std::uint32_t due = 16;
  static constexpr std::uint32_t posted = 32;
  static constexpr std::uint32_t main = 64;
  static constexpr std::uint32_t bound = 128;
  static constexpr std::uint32_t high_priority = 256;
  static constexpr std::uint32_t low_priority = 512;
  static constexpr std::uint32_t placing_mask = bound | high_priority | low_priority;
  static constexpr std::uint32_t withdrawn = 1024;
  static constexpr std::uint32_t error_taken = 2048;
  static constexpr std::uint32_t one_request = 4096;
  static constexpr std::uint32_t most_requests = ~std::uint32_t{0} / one_request;

  static constexpr std::uint32_t with_phase(std::uint32_t state, phase to) noexcept {
    return (state & ~phase_mask) | to;
  }
  static constexpr phase phase_of(std::uint32_t state) noexcept {
    return static_cast<phase>(state & phase_mask);
  }

  /// Held by the task until it has ended, and by `holders` others.
  task_record(const record_operations& ops, promise_base& of, event_loop& at,
              std::uint32_t holders) noexcept
      : ready_node(ops.ready), references_(holders), root(&of), home(&at) {}

  const record_operations& ops() const noexcept {
    // The ready operations are the first member of the record's own.
    return *reinterpret_cast<const record_operations*>(operations);
  }

  /// Requests a cancel. False: the task had already ended. Any thread that holds a reference.
  HARRIER_EXPORT bool cancel(std::shared_ptr<const std::string> message) noexcept;
  /// The same, and leaves the message alone. Gives the state before; nothing changed if that was done.
  HARRIER_EXPORT std::uint32_t request_cancel() noexcept;
  /// Takes one request back and gives how many are left. With `floor` or fewer of them left, a cancel
  /// that has not yet ended a wait goes, too. Any thread that holds a reference.
  HARRIER_EXPORT std::uint32_t uncancel(std::uint32_t floor) noexcept;
  /// What the latest cancel said; null: nothing.
  HARRIER_EXPORT std::shared_ptr<const std::string> cancel_message() const noexcept;

  /// Whether the task has ended and let go of its frame: whoever drops the last reference from now on
  /// destroys it there and then.
  bool is_done() const noexcept { return references_.is_done(); }

  bool cancel_is_due() const noexcept {
    // hint: re-checked by the compare-and-swap that delivers
    return (state.load(std::memory_order_relaxed) & due) != 0;
  }

  bool is_bound() const noexcept {
    // relaxed: whoever queues the task, or ends its wait, has seen it suspend, and so what it set
    return (state.load(std::memory_order_relaxed) & bound) != 0;
  }

  bool was_cancelled() const noexcept { return requests() != 0; }

  /// How many cancels are outstanding.
  std::uint32_t requests() const noexcept {
    return state.load(std::memory_order_relaxed) / one_request;  // hint
  }

  bool is_error_taken() const noexcept {
    // relaxed: asked by the last holder, who has seen what the others did  [record:references]
    return (state.load(std::memory_order_relaxed) & error_taken) != 0;
  }
  void take_error() noexcept {
    // relaxed: as above
    state.fetch_or(error_taken, std::memory_order_relaxed);
  }

  /// Clears the due cancel and says whether there was one. On the task's own thread.
  HARRIER_EXPORT bool take_cancel() noexcept;
  [[noreturn]] HARRIER_EXPORT void throw_cancelled();

  /// Closes the task to cancels. One that is still due decides how it ended: see ended_cancelled().
  HARRIER_EXPORT void end() noexcept;
  /// The same for a task that nobody holds: off the list of live tasks it is out of reach, and needs no
  /// read-modify-write.
  void end_out_of_reach() noexcept {
    // relaxed: nobody asks whether it is done
    const std::uint32_t now = state.load(std::memory_order_relaxed);
    state.store(with_phase(now, done), std::memory_order_relaxed);
  }
  /// Whether the task ended without looking at a cancel: never started, or returned a value.
  HARRIER_EXPORT bool ended_cancelled() const noexcept;

  /// Registers one more who is told when the task ends. False: is_done().
  HARRIER_EXPORT bool join(completion& joiner) noexcept;
  /// Takes a joiner back. False: the task has ended and tells it, or has told it.
  HARRIER_EXPORT bool unjoin(completion& joiner) noexcept;
  /// The task's own reference goes, which makes it done; then the joiners are told, first come first
  /// told. After end(), when the coroutine will not run any more; once.
  void release() noexcept {
    if (is_unheld()) {
      ops().destroy(*this);
    } else {
      release_held();
    }
  }
  /// The same without a word to the joiners, who are about to be destroyed as well.
  HARRIER_EXPORT void abandon() noexcept;

  void add_reference() noexcept { references_.add(); }
  /// Whether nobody but the task holds the record.
  bool is_unheld() const noexcept { return references_.is_unheld(); }
  void drop_reference() noexcept {
    if (references_.drop()) {
      ops().destroy(*this);
    }
  }

  /// The cancel that was posted to `at`'s loop has arrived.
  HARRIER_EXPORT static void arrive_cancel(ready_node& node, execution& at);
  /// Whether `node` is a record that brings a cancel: it takes no step of a task, but makes one ready.
  static bool brings_cancel(const ready_node& node) noexcept {
    return node.operations->run == &task_record::arrive_cancel;
  }

  HARRIER_EXPORT record_extras& extras();
  HARRIER_EXPORT std::string name() const;

  std::atomic<std::uint32_t> state{active};

 private:
  task_references references_;

 public:
  promise_base* root;  ///< the coroutine that the record stands for; null: never started
  suspension* wait = nullptr;  ///< the node of the current wait; published by begin_wait
  /// The loop of the current wait; published by begin_wait. Atomic, because a canceller may read it
  /// while the task, woken, waits again: it then posts to either loop, and the record is sent on.
  std::atomic<event_loop*> home;
  record_list* list = nullptr;  ///< the list of live tasks it is linked in; guarded by the list
  task_record* previous = nullptr;
  task_record* following = nullptr;

 private:
  HARRIER_EXPORT void release_held() noexcept;

  union {
    joiner_list joiners_{};
    std::uint64_t index_;  // items only, which nobody joins
  };

 public:
  std::atomic<record_extras*> more{nullptr};
  context_word context;  ///< the task's own thread; set before it can run

  std::uint64_t item_index() const noexcept { return index_; }
  void set_item_index(std::uint64_t index) noexcept { index_ = index; }
};

/// A task that leaves the list of live ones is not gone before its frame is: whoever waits for a loop
/// to be at rest looks at both. By the loop's own thread.
inline void begin_ending(execution& at) noexcept {
  // relaxed: whoever finds the task off the list, under the list's lock, sees this
  at.ending.store(at.ending.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}
inline void finish_ending(execution& at) noexcept {
  const std::uint32_t now = at.ending.load(std::memory_order_relaxed);  // written by this thread
  at.ending.store(now - 1, std::memory_order_release);  // [loop:ending] the frame has gone
}

/// The root ends in this step. Its frame is in use until the step returns: the loop releases it then.
inline void end_in_step(execution& at, task_record& record) noexcept {
  begin_ending(at);
  at.finished = &record;
}
inline void release_finished(execution& at) noexcept {
  if (at.finished != nullptr) {
    std::exchange(at.finished, nullptr)->release();
    finish_ending(at);
  }
}

/// A pool of one size serves all records.
inline constexpr std::size_t record_bytes = 96;
static_assert(sizeof(task_record) <= record_bytes);
static_assert(record_bytes % frame_cache::frame_alignment !=
              0);  // records are not counted as frames

}  // namespace harrier::detail
