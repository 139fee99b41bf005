// SPDX-License-Identifier: Apache-2.0
// Protocol    asker: (a1) writes whom it asks (a2) state = wanted (a3) sends the signal, waits for done.
//             handler, on whatever thread: wanted -> writing, if it is the one; writes; done.
//             If the time is over the asker takes wanted back to idle; if that fails, the handler is
//             writing, and done is near. So no handler writes to what nobody waits for any more.
#include <harrier/detail/thread_backtrace.hpp>

#include <harrier/detail/execution.hpp>

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

namespace harrier::detail {

namespace {

enum class state : int { idle, wanted, writing, done };

constinit std::mutex asking;
constinit std::atomic<state> progress{state::idle};
constinit std::atomic<int> whom{0};
thread_capture answer;  // the handler's while `writing`, else that of who holds `asking`

extern "C" void harrier_on_capture(int /*signal*/) {
  const int error = errno;
  state expected = state::wanted;
  // acquire: `whom` is the asked one  [capture:wanted]
  if (whom.load(std::memory_order_relaxed) == this_thread_id() &&
      progress.compare_exchange_strong(expected, state::writing, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
    const execution* at = here();
    answer.context = at != nullptr ? at->context : nullptr;
    answer.depth = ::backtrace(answer.frames.data(), static_cast<int>(answer.frames.size()));
    progress.store(state::done, std::memory_order_release);  // [capture:done]
  }
  errno = error;
}

/// SIGURG is ours for a scope, if it is nobody's.
class capture_handler {
 public:
  capture_handler() noexcept {
    if (::sigaction(SIGURG, nullptr, &before_) != 0 || (before_.sa_flags & SA_SIGINFO) != 0 ||
        before_.sa_handler != SIG_DFL) {
      return;
    }
    struct sigaction ours{};
    ours.sa_handler = harrier_on_capture;
    ours.sa_flags = SA_RESTART | SA_ONSTACK;
    ::sigemptyset(&ours.sa_mask);
    is_set_ = ::sigaction(SIGURG, &ours, nullptr) == 0;
  }
  ~capture_handler() {
    if (is_set_) {
      ::sigaction(SIGURG, &before_, nullptr);
    }
  }
  capture_handler(const capture_handler&) = delete;
  capture_handler& operator=(const capture_handler&) = delete;
  bool is_set() const noexcept { return is_set_; }

 private:
  struct sigaction before_{};
  bool is_set_ = false;
};

[[maybe_unused]] bool is_answered(std::chrono::milliseconds patience) noexcept {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (progress.load(std::memory_order_acquire) != state::done) {  // [capture:done]
    if (std::chrono::steady_clock::now() >= end) {
      state expected = state::wanted;
      if (progress.compare_exchange_strong(expected, state::idle, std::memory_order_relaxed,
                                           std::memory_order_relaxed)) {
        return false;
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

}  // namespace

int this_thread_id() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

bool capture([[maybe_unused]] int thread_id, [[maybe_unused]] thread_capture& out,
             [[maybe_unused]] std::chrono::milliseconds patience) {
#if defined(HARRIER_SIMULATED) || !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 35)
  return false;
#else
  const std::scoped_lock one_at_a_time(asking);
  thread_capture first;
  ::backtrace(first.frames.data(), 1);  // what it loads it loads now, and not in a handler
  const capture_handler handler;
  if (!handler.is_set()) {
    return false;
  }
  whom.store(thread_id, std::memory_order_relaxed);
  progress.store(state::wanted, std::memory_order_release);  // [capture:wanted]
  if (::syscall(SYS_tgkill, ::getpid(), thread_id, SIGURG) != 0 || !is_answered(patience)) {
    progress.store(state::idle, std::memory_order_relaxed);  // the next one is ordered by `asking`
    return false;
  }
  out = answer;
  progress.store(state::idle, std::memory_order_relaxed);  // likewise
  return true;
#endif
}

std::string frames_in_words(const thread_capture& of) {
  const std::unique_ptr<char*, void (*)(void*)> names(
      ::backtrace_symbols(of.frames.data(), of.depth), std::free);
  std::string text;
  // The first two are the handler and what the system calls it by.
  for (int at = 2; names != nullptr && at < of.depth; ++at) {
    text += std::string("\n    ") + names.get()[at];
  }
  return text;
}

}  // namespace harrier::detail
