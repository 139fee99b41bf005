// SPDX-License-Identifier: Apache-2.0
// Who wants to know that a thread of ordinary code has blocked for long: a runtime with a watchdog.
//
// Threads     any.
// Protocol    a thread that blocks looks up the shortest time anybody has asked for, and each time that it
//             has blocked for that long calls those whose time has come; each once for its wait.
// Invariant   a watch is called only while `visitors_` counts it; its destructor waits for that to be 0.
// Rejected    to ask the runtime of the task that is waited for: the handle of a lone runner's task may
//             outlive its loop, and nothing in its record says that it is one.
#pragma once

#include <harrier/detail/config.hpp>

#include <chrono>
#include <optional>

namespace harrier::detail {

class HARRIER_EXPORT wait_watch {
 public:
  using steady_time = std::chrono::steady_clock::time_point;
  using steady_duration = std::chrono::steady_clock::duration;
  using told = void (*)(wait_watch& self, steady_duration waited) noexcept;

  /// `tell` is called on a thread that has blocked for `longest`; for many that block at once about once
  /// in that time.
  wait_watch(steady_duration longest, told tell);
  ~wait_watch();
  wait_watch(const wait_watch&) = delete;
  wait_watch& operator=(const wait_watch&) = delete;

  /// For a thread that blocks, from `since` on: when to call tell_overdue() next; max: nobody watches.
  static steady_time next_look(steady_time since, steady_time now) noexcept;
  static void tell_overdue(steady_time since, steady_time now) noexcept;
  /// For the simulation: those that are left are of a run that was abandoned.
  static void forget_all() noexcept;

 private:
  const steady_duration longest_;
  const told tell_;
  wait_watch* next_ = nullptr;  // guarded by the mutex, like all below
  unsigned visitors_ = 0;
  std::optional<steady_time> told_at_;
};

}  // namespace harrier::detail
