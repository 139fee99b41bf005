// SPDX-License-Identifier: Apache-2.0
// How large an automatic window should be, told by what became of the last change: no clock, no threads.
//
// It climbs a hill by experiment, as TCP BBR probes for bandwidth, and judges by the rate at which items end.
// Not by their latency as TCP Vegas and the gradient limits of services do, which take what is longer than
// the shortest for a queue: the items of one batch differ (one from a cache, the next from afar).
//
//   trial     The window is doubled, and the rate measured once the change has arrived. A quarter more items
//             in a second keeps it, and it is doubled again. Or it is halved: if that costs less than a
//             twentieth of the rate, what it saves was waiting and nothing else, and it is halved again.
//             The bounds lie apart, so that what one keeps the other does not take back.
//   rest      When a trial fails the window goes back, its rate is measured again, and the other direction is
//             tried. When both have failed it stays for some measures, each time for twice as many: a smaller
//             window costs throughput while it is tried.
//   stall     Nothing has ended for long though the window is full: items may wait for some that have not
//             started. It is doubled, whatever was found, again and again: a wait of all for all ends.
//   pressure  Memory is short: it is halved, from what is in flight, as long as items end, and a stall adds
//             a few only.
//
// Time is counted in ends: as many as are in flight take an item's latency (Little's law), whatever it is.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/detail/throughput_meter.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace harrier::detail {

/// Where a batch stands.
struct window_sample {
  time_point now;
  std::uint64_t ended = 0;
  std::int64_t in_flight = 0;
  std::int64_t most_in_flight = 0;  ///< of one slot
};

/// Limits are those of one slot.
///
/// Threads   one at a time.
class HARRIER_EXPORT window_tuner {
 public:
  /// Under pressure it may become as small as that, whatever `least` is; a stall then adds as many.
  static constexpr std::int64_t step_under_pressure = 16;
  /// How long nothing has to end: where nothing is known that could end an item; otherwise, at least; and
  /// again and again, each time for twice as long, at most.
  static constexpr duration stall_of_idle = std::chrono::milliseconds(1);
  static constexpr duration stall_of_waiting = std::chrono::milliseconds(128);
  static constexpr duration longest_further_stall = std::chrono::milliseconds(256);

  window_tuner() noexcept {}
  void begin(std::int64_t start, std::int64_t least, time_point now) noexcept;

  std::int64_t limit() const noexcept { return limit_; }
  /// A look at a batch that runs. `was_full`: the window has kept items from starting since the last look.
  void look(const window_sample& at, bool was_full) noexcept;
  /// The part of the memory that is in use, if it was asked for.
  void note_memory(const window_sample& at, double used) noexcept;
  /// A worker has nothing to do because the window is full. Nothing: it has grown. Otherwise when to ask
  /// again. `is_idle`: nothing is known that could end an item by itself.
  std::optional<time_point> grow_if_stalled(const window_sample& at, bool is_idle) noexcept;

 private:
  enum class state : std::uint8_t { resting, trying_more, trying_less };

  void start_over(const window_sample& at, state next, std::int64_t limit) noexcept;
  void measure(const window_sample& at) noexcept;
  std::uint64_t take_peak(const window_sample& at) noexcept;
  void judge(double rate, const window_sample& at) noexcept;
  void try_next(const window_sample& at) noexcept;
  bool may_halve() const noexcept { return limit_ / 2 >= least_; }
  duration stall(bool is_idle) const noexcept;

  std::int64_t limit_ = 0;
  std::int64_t before_trial_ = 0;
  std::int64_t least_ = 0;

  throughput_meter meter_;
  bool is_settling_ = false;  // the change has not arrived yet
  std::uint64_t settled_at_ = 0;  // in ends
  bool was_full_ = false;
  std::int64_t peak_ = 0;  // the most in flight, since it was taken

  state state_ = state::resting;
  state next_ = state::trying_more;
  double rate_ = 0;  // what a trial is compared with
  std::uint32_t rest_ = 1;  // measures left
  std::uint32_t next_rest_ = 1;  // after one that found less to be worse

  time_point since_{};  // the last change
  duration latency_{0};  // of all that was in flight; 0: not known yet
  time_point last_end_{};
  std::uint64_t ended_then_ = 0;
  unsigned stalls_ = 0;  // since then

  bool is_pressed_ = false;
  std::optional<std::uint64_t> ended_at_pressure_;
};

}  // namespace harrier::detail
