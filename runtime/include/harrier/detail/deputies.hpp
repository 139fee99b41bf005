// SPDX-License-Identifier: Apache-2.0
// The threads that serve a slot by turns, because one of them must wait in the middle of a step.
//
// A coroutine that an exception leaves, or that is destroyed, while a thief has its forked child, has to wait
// for that child and cannot suspend. What the child waits for may be this slot's to run. What runs
// meanwhile may come to the same, and wait for the first one to go on: so none of it runs on top of the
// first one. The thread that waits gives the slot to a deputy, and has it back between two of the
// deputy's steps.
//
// Threads     one has the slot, and all that is said here of calls is said of that one; the others sleep.
//             The first is whoever serves the slot otherwise: only it parks, leaves, and ends with the
//             runtime.
// Protocol    whose turn it is: slot_turns.hpp. Between two steps a deputy gives the slot back to the first
//             thread, if that is not in a step itself; or to one whose child has ended. The first thread
//             gives it to the latter.
// Invariant   nobody waits when the runtime ends: a child that has not ended is a live task's.
// Rejected    Helping on the same stack: who is below cannot go on before who is on top has, which may be
//             waiting for the one below (`unit.dropped_fork.*`). Fibers: what
//             the user's code keeps in its thread, and the exceptions under way, would change under it.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/slot_turns.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <thread>

namespace harrier::detail {

class worker_slot;
struct promise_base;

class HARRIER_EXPORT deputies {
 public:
  explicit deputies(worker_slot& of) noexcept : slot_(of) {}
  deputies(const deputies&) = delete;
  deputies& operator=(const deputies&) = delete;

  /// Waits for the end of `child`, without the slot. In a step.
  void wait_for(const promise_base& child) noexcept;

  /// Whether a thread waits in a step. Whoever serves the slot must not sleep for long then.
  bool anyone_waits() const noexcept { return turns_.anyone_waits(); }
  /// Those whose children have ended go on with their steps. For the first thread, between two steps.
  void attend() noexcept;

  std::uint64_t started() const noexcept {
    return started_.load(std::memory_order_relaxed);  // counter only
  }
  /// Ends the threads and waits for them. After the first thread has left for good; again does nothing.
  void close() noexcept;

 private:
  static constexpr std::size_t most_idle = 4;  // more of them leave

  struct deputy {
    turn start;
    std::thread thread;
    bool has_left = false;
  };

  turn* help_until_someone_comes(const promise_base& child) noexcept;
  turn& make_deputy();
  void serve(deputy& self) noexcept;
  turn& serve_until_wanted() noexcept;

  worker_slot& slot_;
  // of the thread that has the slot
  slot_turns turns_;
  bool ends_ = false;
  std::list<deputy> deputies_;
  std::atomic<std::uint64_t> started_{0};
};

}  // namespace harrier::detail
