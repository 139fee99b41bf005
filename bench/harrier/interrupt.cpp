// SPDX-License-Identifier: Apache-2.0
#include "interrupt.hpp"

#include "exit_status.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

namespace harrier::cli {

namespace {

std::atomic<int> interrupts{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

extern "C" void count_interrupt(int) {
  if (interrupts.fetch_add(1, std::memory_order_relaxed) != 0) ::_exit(exit_interrupted);
  constexpr std::string_view message =
      "harrier: interrupted: ending what has begun; once more stops at once\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message.data(), message.size());
}

void handle_with(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace

interrupt_watch::interrupt_watch() { handle_with(count_interrupt); }
interrupt_watch::~interrupt_watch() { handle_with(SIG_DFL); }

// relaxed: a flag alone
bool interrupt_watch::is_interrupted() const noexcept {
  return interrupts.load(std::memory_order_relaxed) != 0;
}

}  // namespace harrier::cli
