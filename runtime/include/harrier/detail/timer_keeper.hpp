// SPDX-License-Identifier: Apache-2.0
// The timers of slots in which no thread is: one thread, made with the first of them, waits for the
// earliest and calls its slot.
//
// Threads     keep() by the thread that leaves a slot, forget() by the one that enters it.
// Rejected    a thread of oneTBB that stays parked in a slot with timers: with as many such slots as
//             oneTBB has threads, the program's own parallel loops would run on one.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/detail/parker.hpp>

#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace harrier::detail {

class HARRIER_EXPORT timer_keeper {
 public:
  /// `due(slot)` is called on the keeper's thread.
  timer_keeper(clock& time, std::size_t slots, std::function<void(std::size_t)> due);
  timer_keeper(const timer_keeper&) = delete;
  timer_keeper& operator=(const timer_keeper&) = delete;
  ~timer_keeper();

  /// Remembers that `slot` has something to do at `deadline`. False: there is no thread for it.
  bool keep(std::size_t slot, time_point deadline) noexcept;
  void forget(std::size_t slot) noexcept;
  /// Ends the thread. Nothing is kept afterwards.
  void close() noexcept;

 private:
  void serve();
  void take_due();
  time_point earliest() const noexcept;
  void set(std::size_t slot, time_point deadline) noexcept;

  clock& clock_;
  const bool exact_;  // time stands still for tests: it must not jump to a deadline that is gone
  const std::function<void(std::size_t)> due_;
  parker place_;

  std::mutex mutex_;
  std::vector<time_point> deadlines_;  // guarded by mutex_, like all below; max: none
  std::vector<std::size_t> found_;  // the keeper's thread only
  time_point sleeps_until_ = time_point::max();
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace harrier::detail
