// SPDX-License-Identifier: Apache-2.0
// How many items end in a second, where they may end in bursts.
//
// Items that started together end together, wave after wave, and a count between two moments is off by up to a
// wave: one in five, of five. So two intervals that follow each other are compared by the time average of
// the count of ends in each. An average over intervals that hold k waves is off by about 1/4k of a wave, and
// the rate by the square of that order: a fifth at worst with one wave in each, a twenty-fifth with three, if it
// begins at a moment in which some end.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>

#include <cstdint>

namespace harrier::detail {

/// Threads   one at a time.
class HARRIER_EXPORT throughput_meter {
 public:
  /// An interval takes as long at least.
  static constexpr duration shortest_interval = std::chrono::milliseconds(20);

  throughput_meter() noexcept {}

  /// An interval ends when so many have ended in it. Best at a moment in which some end.
  void begin(time_point now, std::uint64_t ended, std::uint64_t ends_in_each) noexcept;
  /// So many have ended. Best told before a time in which none ends, too. True: both intervals are over.
  bool note(time_point now, std::uint64_t ended) noexcept;
  /// Once note() has been true: ends in a second.
  double rate() const noexcept;

 private:
  struct interval {
    interval() noexcept {}
    double average = 0;  // of the ends since begin()
    double seconds = 0;
  };

  std::uint64_t first_ = 0;
  std::uint64_t ends_in_each_ = 1;
  time_point last_now_{};
  std::uint64_t last_ended_ = 0;
  // the interval that goes on
  time_point since_{};
  std::uint64_t ended_before_ = 0;
  double area_ = 0;  // ends since begin(), times seconds
  bool is_second_ = false;
  interval earlier_;
  interval later_;
};

}  // namespace harrier::detail
