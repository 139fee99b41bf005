// SPDX-License-Identifier: Apache-2.0
// The seam of time: clocks, sleeps and the time slice.
#include "seam_clock.hpp"

#include <harrier/detail/config.hpp>

#include "real.hpp"

#include <sched.h>

#include <cerrno>

namespace harrier::simulated {

namespace {

constexpr nanoseconds one_second = 1'000'000'000;
// The wall clock of a simulation starts on 2001-09-09.
constexpr nanoseconds wall_clock_start = 1'000'000'000 * one_second;

bool is_wall_clock(clockid_t clock) noexcept {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

bool is_simulated(clockid_t clock) noexcept {
  return is_wall_clock(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

nanoseconds sum(const timespec& time) noexcept {
  return time.tv_sec > never / one_second - 1 ? never : time.tv_sec * one_second + time.tv_nsec;
}

int sleep_until(nanoseconds deadline) {
  scheduler::instance().block("sleep", nullptr, deadline);
  return 0;
}

nanoseconds after(nanoseconds from, nanoseconds delay) noexcept {
  return delay > never - from ? never : from + delay;
}

}  // namespace

nanoseconds as_nanoseconds(clockid_t clock, const timespec& time) noexcept {
  const nanoseconds at = sum(time);
  return at != never && is_wall_clock(clock) ? at - wall_clock_start : at;
}

}  // namespace harrier::simulated

using namespace harrier::simulated;

extern "C" {

HARRIER_EXPORT int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const uninterrupted seam;
  if (!seam.thread() || !is_simulated(clock)) {
    return HARRIER_REAL(clock_gettime)(clock, time);
  }
  const nanoseconds now =
      scheduler::instance().now() + (is_wall_clock(clock) ? wall_clock_start : 0);
  time->tv_sec = now / one_second;
  time->tv_nsec = now % one_second;
  return 0;
}

HARRIER_EXPORT int nanosleep(const timespec* delay, timespec* rest) {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(nanosleep)(delay, rest);
  }
  return sleep_until(after(scheduler::instance().now(), sum(*delay)));
}

HARRIER_EXPORT int clock_nanosleep(clockid_t clock, int flags, const timespec* time,
                                   timespec* rest) {
  const uninterrupted seam;
  if (!seam.thread() || !is_simulated(clock)) {
    return HARRIER_REAL(clock_nanosleep)(clock, flags, time, rest);
  }
  return sleep_until((flags & TIMER_ABSTIME) != 0 ? as_nanoseconds(clock, *time)
                                                  : after(scheduler::instance().now(), sum(*time)));
}

HARRIER_EXPORT int sched_yield() noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(sched_yield)();
  }
  scheduler::instance().yield();
  return 0;
}

}  // extern "C"
