// SPDX-License-Identifier: Apache-2.0
// What time it is, and how a loop waits for it: a seam, so that tests run on virtual time.
#pragma once

#include <harrier/detail/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace harrier {

namespace detail {
class parker;
}

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

/// `from + delay`, at most the end of time.
constexpr time_point deadline_after(time_point from, duration delay) noexcept {
  if (delay > duration::zero() && from > time_point::max() - delay) {
    return time_point::max();
  }
  return from + delay;
}

/// Where loops take their time from. Outlives every loop that uses it.
///
/// Threads   every function may be called from any thread.
class HARRIER_EXPORT clock {
 public:
  virtual ~clock();

  virtual time_point now() noexcept = 0;

  /// Waits until `place` is unparked or `deadline` has come. `ticket` is from `place.announce()`.
  /// `alone`: no other thread is expected to wake this one. Throws `deadlock` if nothing ever
  /// could.
  virtual void wait(detail::parker& place, std::uint32_t ticket, time_point deadline,
                    bool alone) = 0;

  /// A loop begins or ends to use the clock.
  virtual void attach() noexcept {}
  virtual void detach() noexcept {}
};

/// The machine's steady clock. The wall clock is never used.
HARRIER_EXPORT clock& steady_clock() noexcept;

/// A clock that stands still while any of its loops runs, and jumps to the next deadline when all
/// of them wait: a test on it sleeps for hours in no time, and never flickers. Starts at time zero.
///
/// Errors    a lone runner that waits with no timer set gets `deadlock`: nothing is left to run.
class HARRIER_EXPORT virtual_clock final : public clock {
 public:
  virtual_clock();
  ~virtual_clock() override;

  time_point now() noexcept override;
  void wait(detail::parker& place, std::uint32_t ticket, time_point deadline, bool alone) override;
  void attach() noexcept override;
  void detach() noexcept override;

  /// Moves the time on by hand and wakes the loops whose deadline has come.
  void advance(duration by);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace harrier
