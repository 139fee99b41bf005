// SPDX-License-Identifier: Apache-2.0
// The seam of system calls: the futex and the barrier in every thread. harrier's parkers, and the C++
// library's atomics, futures and guards of static variables, wait here.
#include <harrier/detail/config.hpp>

#include "real.hpp"
#include "seam_clock.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>

namespace harrier::simulated {

namespace {

long fail(int error) noexcept {
  errno = error;
  return -1;
}

long futex_wait(const std::uint32_t* word, std::uint32_t expected, nanoseconds deadline) {
  scheduler& at = scheduler::instance();
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected) {
    return fail(EAGAIN);
  }
  if (at.random().one_in(32)) {
    at.yield();
    return fail(EINTR);
  }
  return at.block("futex wait", word, deadline) ? 0 : fail(ETIMEDOUT);
}

long futex(const long (&arguments)[6]) {
  const auto* word = reinterpret_cast<const std::uint32_t*>(arguments[0]);
  const auto operation = static_cast<int>(arguments[1]);
  const auto value = static_cast<std::uint32_t>(arguments[2]);
  const auto* time = reinterpret_cast<const timespec*>(arguments[3]);
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT: {
      nanoseconds deadline = never;
      if (time != nullptr) {
        deadline = scheduler::instance().now() + as_nanoseconds(CLOCK_MONOTONIC, *time);
      }
      return futex_wait(word, value, deadline);
    }
    case FUTEX_WAIT_BITSET: {
      const clockid_t clock =
          (operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
      return futex_wait(word, value, time != nullptr ? as_nanoseconds(clock, *time) : never);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
      return static_cast<long>(scheduler::instance().wake(word, value));
    default:
      return fail(ENOSYS);
  }
}

}  // namespace

}  // namespace harrier::simulated

using namespace harrier::simulated;

extern "C" HARRIER_EXPORT long syscall(long number, ...) noexcept {
  const uninterrupted seam;
  // No call has more than six arguments; reading too many finds rubbish, which is passed on unused.
  std::va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& each : arguments) {
    each = va_arg(list, long);
  }
  va_end(list);
  if (seam.thread()) {
    if (number == SYS_futex) {
      const long result = futex(arguments);
      preempt_caller(__builtin_return_address(0));
      return result;
    }
    if (number == SYS_membarrier) {
      preempt_caller(__builtin_return_address(0));
      return 0;
    }
  }
  return HARRIER_REAL(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3],
                               arguments[4], arguments[5]);
}
