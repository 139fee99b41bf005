// SPDX-License-Identifier: Apache-2.0
// runtime_options::handle_signals, and stop() with options. A press is a raise() on some thread: the
// handler has run when it returns; who then sees to it is what the tests are about.
#include <harrier/runtime.hpp>

#include "unit/held_worker.hpp"

#include <csignal>

namespace harrier::test {
namespace {

runtime_options with_signals(signals which) {
  runtime_options options;
  options.workers = 2;
  options.handle_signals = which;
  return options;
}

/// Waits until it is cancelled, `times` times.
task<> wait_stubbornly(tally& waits, int times) {
  waits.add();
  for (int cancels = 0; cancels < times;) {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cancels;
    }
  }
}

// Nobody blocks for the runtime: a worker, asleep, is woken by the handler and sees to it.
TEST(runtime_signals, a_press_is_a_request_to_stop) {
  runtime_options options = with_signals(signals::interrupt_and_terminate);
  options.provider = thread_provider::own_threads;  // whose workers a handler can wake
  runtime rt(options);
  tally waits;
  auto handle = rt.spawn(wait_stubbornly(waits, 1));
  waits.wait_for(1);
  ::raise(SIGTERM);
  rt.drain(1h);  // a wait that does not deliver
  EXPECT_TRUE(rt.is_stopped());
  EXPECT_NO_THROW(handle.get()) << "it caught its cancel";
  EXPECT_THROW((void)rt.spawn(give(1)), runtime_stopped);
}

// Whatever threads the slots have: whoever blocks sees to it.
TEST(runtime_signals, a_thread_that_blocks_delivers) {
  runtime rt(with_signals(signals::interrupt));
  tally waits;
  std::thread presser([&] {
    waits.wait_for(1);
    ::raise(SIGINT);
  });
  auto main = [&]() -> task<> {
    waits.add();
    co_await sleep_for_ever();
  };
  EXPECT_THROW(rt.run(main()), run_cancelled);
  presser.join();
  EXPECT_TRUE(rt.is_stopped());
}

TEST(runtime_signals, a_batch_is_cancelled) {
  runtime rt(with_signals(signals::interrupt));
  tally waits;
  auto item = [&](std::uint64_t) -> task<> {
    waits.add();
    co_await sleep_for_ever();
  };
  auto b = rt.dispatch(8, item);
  waits.wait_for(8);
  ::raise(SIGINT);
  b.wait();
  EXPECT_EQ(b.counts().cancelled, 8u);
}

// One deadline, and a report of who did not stop.
TEST(runtime_signals, what_does_not_stop_is_reported_by_name_and_line) {
  runtime_options options = with_signals(signals::interrupt);
  options.grace = 1ms;
  error_log log;
  options.exception_handler = std::ref(log);
  runtime rt(options);
  tally waits;
  auto handle = rt.spawn(wait_stubbornly(waits, 2), "stubborn");
  waits.wait_for(1);
  ::raise(SIGINT);
  handle.wait();
  rt.stop();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log.at(0).task_name, "stubborn");
}

TEST(runtime_signals, a_second_press_ends_the_grace) {
  runtime_options options = with_signals(signals::interrupt);
  options.grace = 24h;
  tally reports;
  options.exception_handler = [&](const error_report&) { reports.add(); };
  runtime rt(options);
  tally waits;
  auto handle = rt.spawn(wait_stubbornly(waits, 2), "stubborn");
  waits.wait_for(1);
  std::thread presser([&] {
    ::raise(SIGINT);
    ::raise(SIGINT);
  });
  handle.wait();
  presser.join();
  EXPECT_GE(reports.value(), 1);
}

TEST(runtime_signals, the_handler_goes_with_the_stop) {
  struct sigaction now{};
  {
    runtime rt(with_signals(signals::interrupt));
    ::sigaction(SIGINT, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL) << "an unused runtime takes nothing";
    EXPECT_EQ(rt.run(give(1)), 1);
    ::sigaction(SIGINT, nullptr, &now);
    EXPECT_NE(now.sa_handler, SIG_DFL);
    rt.stop();
    ::sigaction(SIGINT, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL);
  }
}

TEST(runtime_stop, drains_before_it_cancels) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  std::atomic<int> ended{0};
  tally started;
  auto work = [&]() -> task<> {
    started.add();
    co_await sleep_for(1h);
    ++ended;
  };
  for (int i = 0; i < 100; ++i) rt.spawn(work()).detach();
  rt.stop(close_options().drain_for(24h));
  EXPECT_EQ(ended.load(), 100);
}

TEST(runtime_stop, names_where_a_task_waits) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.exception_handler = std::ref(log);
  const unsigned line = __LINE__ + 5;
  auto stubborn = [](tally& waits) -> task<> {
    waits.add();
    for (int cancels = 0; cancels < 2;) {
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
        ++cancels;
      }
    }
  };
  runtime rt(options);
  tally waits;
  auto handle = rt.spawn(stubborn(waits), "stubborn");
  waits.wait_for(1);
  rt.stop(close_options().within(50ms));
  ASSERT_EQ(log.size(), 1u);
  const error_report report = log.at(0);
  EXPECT_EQ(report.task_name, "stubborn");
  ASSERT_LE(report.waits_at.size(), 1u) << "none if it was just running";
  if (!report.waits_at.empty()) {
    EXPECT_EQ(report.waits_at[0].line(), line);
  }
}

TEST(runtime_stop, waits_for_calls_that_block) {
  runtime rt(std::size_t{2});
  std::latch go{1};
  tally called;
  std::atomic<bool> returned{false};
  auto work = [&]() -> task<> {
    auto call = [&] {
      called.add();
      go.wait();
      returned = true;
    };
    auto operation = offload_blocking(call);
    co_await operation;
  };
  rt.spawn(work()).detach();
  called.wait_for(1);
  std::thread stopper([&] {
    rt.stop(close_options().within(0s));
    EXPECT_TRUE(returned.load());
  });
  while (!rt.is_stopped()) std::this_thread::yield();
  go.count_down();
  stopper.join();
}

TEST(runtime_debug, reports_a_slow_step) {
  virtual_clock time;
  tally reports;
  runtime_options options;
  options.workers = 1;
  options.time = &time;
  options.debug = debug_mode::on;
  options.exception_handler = [&](const error_report& report) {
    if (report.task_name == "slow") reports.add();
  };
  runtime rt(options);
  auto slow = [&]() -> task<> {
    time.advance(200ms);
    co_return;
  };
  auto handle = rt.spawn(slow(), "slow");
  handle.wait();
  reports.wait_for(1);
}

}  // namespace
}  // namespace harrier::test
