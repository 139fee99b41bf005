// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/blocking_wait.hpp>

#include <harrier/detail/execution.hpp>
#include <harrier/detail/parker.hpp>
#include <harrier/detail/press_target.hpp>
#include <harrier/detail/wait_watch.hpp>
#include <harrier/errors.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace harrier::detail {

void blocking_wait::refuse_in_loop(const char* call) {
  if (here() != nullptr) {
    throw blocking_in_loop(call);
  }
}

void blocking_wait::finish() noexcept {
  const std::atomic<std::uint32_t>& word = done_;
  // release: pairs with the acquire in wait_until(): what was awaited is visible
  // [blocking_wait:done]
  done_.store(1, std::memory_order_release);
  // The waiter may be gone by now. A wake needs its address only; at worst it wakes a stranger, who
  // looks again as every futex user must.
  futex_wake(word, 1);
}

void blocking_wait::wait() noexcept { wait_until(std::chrono::steady_clock::time_point::max()); }

bool blocking_wait::wait_until(std::chrono::steady_clock::time_point deadline) noexcept {
  using steady_time = std::chrono::steady_clock::time_point;
  std::optional<steady_time> since;
  steady_time next_look = steady_time::max();
  while (done_.load(std::memory_order_acquire) == 0) {  // [blocking_wait:done]
    const steady_time now = std::chrono::steady_clock::now();
    if (deadline != steady_time::max() && now >= deadline) {
      return false;
    }
    if (!since) {
      since = now;
      next_look = wait_watch::next_look(now, now);
    } else if (now >= next_look) {
      wait_watch::tell_overdue(*since, now);
      next_look = wait_watch::next_look(*since, now);
      continue;  // that has taken its time
    }
    const steady_time until = std::min(deadline, next_look);
    if (!blocked_threads_deliver()) {
      futex_wait(done_, 0, until);
      continue;
    }
    // A signal may have come to a thread that cannot see to it. Looked for ten times a second, as it
    // may also come between the look and the sleep.
    constexpr std::chrono::milliseconds look_again{100};
    deliver_while_blocked();
    futex_wait(done_, 0, std::min(until, now + look_again));
  }
  return true;
}

}  // namespace harrier::detail
