// SPDX-License-Identifier: Apache-2.0
// A storm of SIGINT at every stage of a runtime's life: never more than a stop; a second press ends the
// grace; afterwards the signal is the program's own again.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <unistd.h>

#include <csignal>
#include <optional>
#include <tuple>

namespace harrier::test {
namespace {

/// Presses on from a thread of its own until it ends. The signal is handled or ignored meanwhile: the
/// process outlives it.
class storm {
 public:
  explicit storm(long at_least) {
    thread_ = std::thread([this] {
      while (!over_.load()) {
        ::kill(::getpid(), SIGINT);
        pressed_.add();
        std::this_thread::yield();
      }
    });
    pressed_.wait_for(at_least);
  }
  ~storm() {
    over_ = true;
    thread_.join();
    std::ignore = ::getppid();  // back from the kernel: no press is left for this thread
  }
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;
  void wait_for(long presses) { pressed_.wait_for(presses); }

 private:
  std::atomic<bool> over_{false};
  tally pressed_;
  std::thread thread_;
};

runtime_options that_takes_signals() {
  runtime_options options;
  options.workers = 2;
  options.handle_signals = signals::interrupt;
  return options;
}

/// The runtime takes a signal only where the program has not: so between two lives of a runtime a press
/// would end the process. A thread that blocks it on all other threads is no help: they are the
/// runtime's. So each storm starts when the handler is there, and ends before it goes.
TEST(signal_storm, while_it_runs_is_one_stop) {
  for (int round = 0; round < 20; ++round) {
    runtime rt(that_takes_signals());
    auto sleeps = rt.spawn(sleep_for_ever());
    tally started;
    auto item = [&](std::uint64_t) -> task<> {
      started.add();
      co_await sleep_for(24h);
    };
    auto op = rt.dispatch(10, item);
    started.wait_for(10);
    {
      storm presses(1);
      sleeps.wait();
      op.wait();
      presses.wait_for(scaled(1000L, 100L));
    }
    EXPECT_TRUE(rt.is_stopped());
    const batch_counts counts = op.counts();
    EXPECT_EQ(counts.completed + counts.failed + counts.cancelled, 10u);
    EXPECT_THROW((void)rt.spawn(give(1)), runtime_stopped);
  }
}

TEST(signal_storm, while_work_is_handed_in_takes_it_wholly_or_not) {
  for (int round = 0; round < 20; ++round) {
    runtime rt(that_takes_signals());
    EXPECT_EQ(rt.run(give(1)), 1);
    std::uint64_t accepted = 0;
    std::uint64_t ended = 0;
    {
      const storm presses(1);
      try {
        for (;;) {
          auto op = rt.dispatch(20, [](std::uint64_t) -> task<> { co_await yield(); });
          ++accepted;
          op.wait();
          const batch_counts counts = op.counts();
          EXPECT_EQ(counts.completed + counts.failed + counts.cancelled, 20u);
          ++ended;
        }
      } catch (const runtime_stopped&) {  // what the press is for
      }
    }
    EXPECT_EQ(accepted, ended);
    EXPECT_TRUE(rt.drain(1min));
  }
}

TEST(signal_storm, while_it_stops_breaks_nothing) {
  for (int round = 0; round < 20; ++round) {
    // The program's own answer to the signal, before and after the runtime's life.
    struct sigaction before{};
    struct sigaction ignore{};
    ::sigaction(SIGINT, nullptr, &before);
    {
      std::optional<runtime> rt(std::in_place, that_takes_signals());
      auto sleeps = rt->spawn(sleep_for_ever());
      const storm presses(1);
      // From here on the runtime is not alone: its handler stays, as it is not its own any more.
      ignore.sa_handler = SIG_IGN;
      ::sigaction(SIGINT, &ignore, nullptr);
      rt.reset();
      EXPECT_TRUE(sleeps.done());
    }
    struct sigaction after{};
    ::sigaction(SIGINT, nullptr, &after);
    EXPECT_EQ(after.sa_handler, SIG_IGN) << "what the program has set since is kept";
    ::sigaction(SIGINT, &before, nullptr);
  }
}

}  // namespace
}  // namespace harrier::test
