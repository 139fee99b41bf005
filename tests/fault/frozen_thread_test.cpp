// SPDX-License-Identifier: Apache-2.0
// Threads that the system does not run for a while: one worker, held in a signal handler wherever it is,
// and the whole process, stopped.
#include <harrier/runtime.hpp>

#include "fault/child.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>
#include <vector>

namespace harrier::test {
namespace {

constinit std::atomic<int> freezes{0};

void hold_the_thread(int /*signal*/) {
  freezes.fetch_add(1);
  const timespec for_a_while{0, 2'000'000};
  const int kept = errno;
  ::nanosleep(&for_a_while, nullptr);
  errno = kept;
}

/// Freezes one of `threads` after the other for 2 of 3 ms.
class freezer {
 public:
  explicit freezer(std::vector<pid_t> threads) : threads_(std::move(threads)) {
    struct sigaction how{};
    how.sa_handler = &hold_the_thread;
    how.sa_flags = SA_RESTART;
    ::sigaction(SIGUSR2, &how, &before_);
    freezes.store(0);
    at_work_ = std::thread([this] {
      for (std::size_t turn = 0; !ends_.load(); ++turn) {
        ::syscall(SYS_tgkill, ::getpid(), threads_[turn % threads_.size()], SIGUSR2);
        std::this_thread::sleep_for(3ms);
      }
    });
  }
  ~freezer() {
    ends_.store(true);
    at_work_.join();
  }
  freezer(const freezer&) = delete;
  freezer& operator=(const freezer&) = delete;

 private:
  std::vector<pid_t> threads_;
  std::atomic<bool> ends_{false};
  std::thread at_work_;
  struct sigaction before_{};
};

runtime_options of_two_workers() {
  runtime_options options;
  options.workers = 2;
  options.provider = thread_provider::own_threads;
  return options;
}

// Between any two instructions: while it sleeps, steals, has a lock, has just been woken.
TEST(frozen_thread, of_a_worker_delays_its_work_and_loses_none) {
  runtime rt(of_two_workers());
  auto tell = []() -> task<pid_t> { co_return static_cast<pid_t>(::syscall(SYS_gettid)); };
  {
    const freezer freezing({rt.spawn_on(0, tell()).get(), rt.spawn_on(1, tell()).get()});
    auto item = [](std::uint64_t i) -> task<std::uint64_t> {
      if (i % 10 == 0) co_await sleep_for(100us);
      if (i % 10 == 1) co_await yield();
      co_return i;
    };
    auto some_ms = [](std::uint64_t) -> task<> {
      auto child = give(1);
      co_await child;
    };
    while (freezes.load() < 60) {
      auto op = rt.dispatch(1'000, item);
      auto spawned = rt.spawn(sleep_then(10us, 7));
      rt.for_each(5'000, some_ms).get();
      EXPECT_EQ(spawned.get(), 7);
      EXPECT_EQ(op.get()[999], 999u);
    }
  }
  EXPECT_TRUE(rt.drain(1min));
  const runtime_metrics figures = rt.metrics();
  EXPECT_EQ(figures.tasks_spawned, figures.tasks_finished);
}

TEST(frozen_thread, of_a_whole_process_that_is_stopped_and_goes_on) {
  auto sleeps_and_works = [] {
    runtime rt(of_two_workers());
    auto item = [](std::uint64_t i) -> task<std::uint64_t> {
      co_await sleep_for(1ms);
      co_return i;
    };
    auto op = rt.dispatch(2'000, item, dispatch_options().with_window(20));  // 100 ms at least
    const pid_t self = ::getpid();
    const pid_t other = ::fork();
    if (other == 0) {
      for (int times = 0; times < 5; ++times) {
        ::usleep(5'000);
        ::kill(self, SIGSTOP);
        ::usleep(20'000);
        ::kill(self, SIGCONT);
      }
      ::_exit(0);
    }
    const bool right = op.get()[1'999] == 1'999;
    int status = -1;
    while (::waitpid(other, &status, 0) == -1 && errno == EINTR) {
    }
    return right && status == 0;
  };
  EXPECT_EQ(in_a_child(sleeps_and_works), 0);
}

}  // namespace
}  // namespace harrier::test
