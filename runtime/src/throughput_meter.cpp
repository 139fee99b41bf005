// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/throughput_meter.hpp>

#include <algorithm>
#include <utility>

namespace harrier::detail {

namespace {

double seconds_between(time_point from, time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void throughput_meter::begin(time_point now, std::uint64_t ended,
                             std::uint64_t ends_in_each) noexcept {
  first_ = last_ended_ = ended_before_ = ended;
  ends_in_each_ = std::max<std::uint64_t>(ends_in_each, 1);
  last_now_ = since_ = now;
  area_ = 0;
  is_second_ = false;
}

bool throughput_meter::note(time_point now, std::uint64_t ended) noexcept {
  now = std::max(now, last_now_);
  area_ += static_cast<double>(last_ended_ - first_) * seconds_between(last_now_, now);
  last_now_ = now;
  last_ended_ = std::max(ended, last_ended_);  // the counts of lanes are read one after the other
  if (now - since_ < shortest_interval || last_ended_ - ended_before_ < ends_in_each_) {
    return false;
  }
  interval& over = is_second_ ? later_ : earlier_;
  over.seconds = seconds_between(since_, now);
  over.average = area_ / over.seconds;
  area_ = 0;
  since_ = now;
  ended_before_ = last_ended_;
  return std::exchange(is_second_, true);
}

double throughput_meter::rate() const noexcept {
  return (later_.average - earlier_.average) * 2 / (earlier_.seconds + later_.seconds);
}

}  // namespace harrier::detail
