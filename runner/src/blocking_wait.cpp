// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/blocking_wait.hpp>

#include <harrier/detail/execution.hpp>
#include <harrier/detail/parker.hpp>
#include <harrier/detail/press_target.hpp>
#include <harrier/errors.hpp>

#include <algorithm>

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
  while (done_.load(std::memory_order_acquire) == 0) {  // [blocking_wait:done]
    if (deadline != std::chrono::steady_clock::time_point::max() &&
        std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    if (!blocked_threads_deliver()) {
      futex_wait(done_, 0, deadline);
      continue;
    }
    // A signal may have come to a thread that cannot see to it. Looked for ten times a second, as it
    // may also come between the look and the sleep.
    constexpr std::chrono::milliseconds look_again{100};
    deliver_while_blocked();
    futex_wait(done_, 0, std::min(deadline, std::chrono::steady_clock::now() + look_again));
  }
  return true;
}

}  // namespace harrier::detail
