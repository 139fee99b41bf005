// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/parker.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace harrier::detail {

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::chrono::steady_clock::time_point deadline) noexcept {
  static_assert(sizeof(word) == sizeof(std::uint32_t));
  timespec until{};
  const timespec* timeout = nullptr;
  if (deadline != std::chrono::steady_clock::time_point::max()) {
    const auto since_start = deadline.time_since_epoch();
    if (since_start.count() < 0) {
      return;
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_start);
    until.tv_sec = static_cast<time_t>(seconds.count());
    until.tv_nsec = static_cast<long>((since_start - seconds).count());
    timeout = &until;
  }
  // FUTEX_WAIT_BITSET takes an absolute deadline, on the clock of std::chrono::steady_clock. A
  // signal, a spurious wake or the deadline: the caller looks again in every case.
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, timeout, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

void futex_wake(const std::atomic<std::uint32_t>& word, int threads) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, threads, nullptr, nullptr, 0);
}

}  // namespace harrier::detail
