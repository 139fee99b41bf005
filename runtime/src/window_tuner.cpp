// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/window_tuner.hpp>

#include <algorithm>
#include <utility>

namespace harrier::detail {

namespace {

constexpr double rise_that_pays = 1.25;  // of a window twice as large
constexpr double loss_that_shows = 0.95;  // of one half as large
constexpr double change_by_itself = 0.8;  // at rest: conditions have changed
constexpr double pressed_from = 0.90;
constexpr double pressed_until = 0.85;
constexpr std::uint32_t shortest_rest = 4;
constexpr std::uint32_t longest_rest = 64;
constexpr std::int64_t widest = std::int64_t{1} << 40;

/// A rise is large, and found soon; a loss that must show is small.
constexpr std::uint64_t times_in_flight_to_rise = 1;
constexpr std::uint64_t times_in_flight_to_fall = 3;

}  // namespace

void window_tuner::begin(std::int64_t start, std::int64_t least, time_point now) noexcept {
  least_ = least;
  last_end_ = now;
  next_rest_ = shortest_rest;
  window_sample at;
  at.now = now;
  at.in_flight = start;
  start_over(at, state::resting, start);
}

void window_tuner::start_over(const window_sample& at, state next, std::int64_t limit) noexcept {
  state_ = next;
  limit_ = limit;
  is_settling_ = true;
  since_ = at.now;
  settled_at_ = at.ended + take_peak(at);
}

/// How many were in flight at most: at a moment in which many end and are replaced it is few.
std::uint64_t window_tuner::take_peak(const window_sample& at) noexcept {
  const std::int64_t peak = std::max(std::exchange(peak_, 0), at.in_flight);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(peak, 1));
}

void window_tuner::measure(const window_sample& at) noexcept {
  is_settling_ = false;
  was_full_ = false;
  const bool is_rough = state_ == state::trying_more || rate_ == 0;
  meter_.begin(at.now, at.ended,
               take_peak(at) * (is_rough ? times_in_flight_to_rise : times_in_flight_to_fall));
}

void window_tuner::look(const window_sample& at, bool was_full) noexcept {
  peak_ = std::max(peak_, at.in_flight);
  if (is_pressed_) {
    return;
  }
  if (is_settling_) {
    if (at.ended >= settled_at_) {
      latency_ = at.now - since_;
      measure(at);
    }
    return;
  }
  was_full_ |= was_full;
  if (!meter_.note(at.now, at.ended)) {
    return;
  }
  if (was_full_) {
    judge(meter_.rate(), at);
  } else if (state_ ==
             state::trying_more) {  // it is not the window that decides how many there are
    judge(0, at);
  } else {
    measure(at);
  }
}

void window_tuner::judge(double rate, const window_sample& at) noexcept {
  if (state_ == state::resting) {
    const bool changed = rate < rate_ * change_by_itself || rate * change_by_itself > rate_;
    rate_ = rate;
    rest_ = changed ? 0 : rest_ - 1;
    if (rest_ == 0) {
      try_next(at);
    } else {
      measure(at);
    }
    return;
  }
  const bool more = state_ == state::trying_more;
  if (rate < rate_ * (more ? rise_that_pays : loss_that_shows)) {
    next_ = more ? state::trying_less : state::trying_more;
    rest_ = more ? 1 : next_rest_;
    if (!more) {
      next_rest_ = std::min(next_rest_ * 2, longest_rest);
    }
    start_over(at, state::resting, before_trial_);
    return;
  }
  next_rest_ = shortest_rest;
  if (more) {
    rate_ = rate;  // otherwise it stays: many small losses are one that shows
  }
  try_next(at);
}

/// Goes on in the direction that is next.
void window_tuner::try_next(const window_sample& at) noexcept {
  before_trial_ = limit_;
  if (next_ == state::trying_less && !may_halve()) {
    next_ = state::trying_more;
    rest_ = next_rest_;
    next_rest_ = std::min(next_rest_ * 2, longest_rest);
    start_over(at, state::resting, limit_);
    return;
  }
  start_over(at, next_, next_ == state::trying_less ? limit_ / 2 : std::min(limit_ * 2, widest));
}

void window_tuner::note_memory(const window_sample& at, double used) noexcept {
  is_pressed_ = used >= (is_pressed_ ? pressed_until : pressed_from);
  if (!is_pressed_ || ended_at_pressure_ == at.ended) {
    return;  // those in flight may wait for others: what would be taken could be what they need
  }
  ended_at_pressure_ = at.ended;
  const std::int64_t used_of_it = std::min(limit_, std::max<std::int64_t>(at.most_in_flight, 1));
  next_ = state::trying_more;
  rest_ = 1;
  next_rest_ = shortest_rest;
  rate_ = 0;
  start_over(at, state::resting, std::max(used_of_it / 2, std::min(limit_, step_under_pressure)));
}

/// After which silence something has to be wrong: items may all end at the same moments.
duration window_tuner::stall(bool is_idle) const noexcept {
  duration first = is_idle ? stall_of_idle : stall_of_waiting;
  if (latency_ > duration::zero()) {
    first = std::max(first, std::min<duration>(latency_, std::chrono::seconds(5)) * 2);
  }
  return std::max(first, std::min(first * (1 << std::min(stalls_, 16U)), longest_further_stall));
}

std::optional<time_point> window_tuner::grow_if_stalled(const window_sample& at,
                                                        bool is_idle) noexcept {
  if (at.ended != ended_then_) {
    ended_then_ = at.ended;
    last_end_ = at.now;
    stalls_ = 0;
  }
  if (const time_point then = last_end_ + stall(is_idle); at.now < then) {
    return then;
  }
  ++stalls_;
  last_end_ = at.now;
  const std::int64_t from = std::max<std::int64_t>({limit_, at.most_in_flight, 1});
  next_ = state::trying_more;
  rest_ = 1;
  next_rest_ = shortest_rest;
  rate_ = 0;
  start_over(at, state::resting,
             std::min(from + (is_pressed_ ? (is_idle ? std::max(step_under_pressure, from / 4)
                                                     : step_under_pressure)
                                          : from),
                      widest));
  return std::nullopt;
}

}  // namespace harrier::detail
