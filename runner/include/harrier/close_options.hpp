// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/clock.hpp>

#include <optional>

namespace harrier {

/// How `runner::close` and `runtime::stop` end what still runs. By default all of it is cancelled at
/// once, and has the `grace` of the options to end.
class close_options {
 public:
  close_options() noexcept {}

  /// First lets everything go on for at most `time`, and cancels only what is left then.
  close_options& drain_for(duration time) noexcept {
    drain = time;
    return *this;
  }
  /// One deadline for all of it, counted from the call: what is left then is reported, by name and
  /// by the lines where it waits, and cancelled again at each of its suspensions.
  close_options& within(duration time) noexcept {
    limit = time;
    return *this;
  }

  /// From the call to the deadline, with the `grace` of the options for what is not said.
  duration total(duration grace) const noexcept {
    return limit ? *limit : deadline_after(time_point(drain), grace).time_since_epoch();
  }

  duration drain = duration::zero();
  std::optional<duration> limit;  ///< unset: `drain` and then the grace
};

}  // namespace harrier
