// SPDX-License-Identifier: Apache-2.0
// stop() and drain(): what is refused, what is finished, what is cancelled.
#include <harrier/runtime.hpp>

#include "unit/held_worker.hpp"

namespace harrier::test {
namespace {

task<> never_starts(std::atomic<bool>& started) {
  started = true;
  co_return;
}

TEST(runtime_stop, refuses_everything_afterwards_and_starts_nothing) {
  runtime rt(std::size_t{2});
  EXPECT_EQ(rt.run(give(1)), 1);
  EXPECT_FALSE(rt.is_stopped());
  rt.stop();
  EXPECT_TRUE(rt.is_stopped());
  std::atomic<bool> started{false};
  std::atomic<bool> called{false};
  auto factory = [&](std::uint64_t) {
    called = true;
    return never_starts(started);
  };
  EXPECT_THROW((void)rt.dispatch(10, factory), runtime_stopped);
  EXPECT_THROW((void)rt.dispatch(std::vector<int>(5), [&](int) { return factory(0); }),
               runtime_stopped);
  EXPECT_THROW((void)rt.spawn(never_starts(started)), runtime_stopped);
  EXPECT_THROW(rt.run(never_starts(started)), runtime_stopped);
  task<> t = never_starts(started);
  EXPECT_THROW((void)rt.try_spawn(t), runtime_stopped);
  std::vector<task<>> tasks;
  tasks.push_back(never_starts(started));
  EXPECT_THROW((void)rt.dispatch(std::move(tasks)), runtime_stopped);
  EXPECT_FALSE(started);
  EXPECT_FALSE(called);
}

TEST(runtime_stop, of_an_unused_runtime_starts_no_thread) {
  runtime rt(std::size_t{2});
  rt.stop();
  rt.stop();
  EXPECT_EQ(rt.metrics().threads_started, 0u);
  EXPECT_TRUE(rt.is_stopped());
}

TEST(runtime_stop, cancels_sleepers) {
  tally started;
  std::atomic<int> cancels{0};
  auto body = [&](std::uint64_t) -> task<> {
    started.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cancels;
      throw;
    }
  };
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(20, body);
  started.wait_for(20);
  rt.stop();
  b.wait();
  EXPECT_EQ(cancels.load(), 20);
  EXPECT_EQ(b.counts().cancelled, 20u);
}

TEST(runtime_stop, twice_and_from_many_threads) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(10'000, [](std::uint64_t i) { return give(static_cast<int>(i)); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back([&] { rt.stop(); });
  for (std::thread& t : threads) t.join();
  b.wait();
  const batch_counts c = b.counts();
  EXPECT_EQ(c.completed + c.failed + c.cancelled, c.total);
}

TEST(runtime_stop, from_a_worker) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<> {
    rt.stop();
    co_return;
  };
  auto handle = rt.spawn(main());
  handle.wait();
  EXPECT_TRUE(rt.is_stopped());
}

TEST(runtime_stop, during_dispatch_takes_each_batch_wholly_or_refuses_it) {
  for (int round = 0; round < 50; ++round) {
    runtime rt(std::size_t{2});
    std::atomic<long> ran{0};
    std::atomic<bool> refused{false};
    auto body = [&](std::uint64_t) -> task<> {
      ran.fetch_add(1);
      co_return;
    };
    std::thread dispatcher([&] {
      try {
        for (int k = 0; k < 10'000; ++k) {
          auto b = rt.dispatch(20, body);
          b.wait();
          const batch_counts c = b.counts();
          ASSERT_EQ(c.completed + c.failed + c.cancelled, 20u);
        }
      } catch (const runtime_stopped&) {
        refused = true;
      }
    });
    while (ran.load() == 0) std::this_thread::yield();
    rt.stop();
    dispatcher.join();
    EXPECT_TRUE(refused);
  }
}

TEST(runtime_stop, names_the_task_that_ignores_its_cancel) {
  virtual_clock time;
  error_log log;
  runtime_options options;
  options.workers = 1;
  options.time = &time;
  options.grace = 20ms;
  options.exception_handler = std::ref(log);
  int cancels = 0;
  tally started;
  auto stubborn = [&]() -> task<> {
    started.add();
    while (cancels < 2) {
      try {
        co_await sleep_for(std::chrono::hours(24 * 365 * 200));
      } catch (const cancelled&) {
        ++cancels;
      }
    }
  };
  {
    runtime rt(options);
    rt.spawn(stubborn(), "the stubborn one").detach();
    started.wait_for(1);
  }
  EXPECT_GE(cancels, 1);
  EXPECT_EQ(live_frames(), 0u);
}

// The queued task is named with the worker's, which tells that it has been swept.
TEST(runtime_stop, cancels_what_no_worker_has_taken_yet) {
  tally named;
  runtime_options options;
  options.workers = 1;
  options.grace = 1ms;
  options.exception_handler = [&](const error_report&) { named.add(); };
  runtime rt(options);
  held_worker held(rt);
  bool started = false;
  auto handle = rt.spawn(hold(tracked(), started));
  std::thread stopper([&] { rt.stop(); });
  named.wait_for(2);
  held.release();
  stopper.join();
  EXPECT_THROW(handle.get(), run_cancelled);
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(drain, lets_everything_finish) {
  runtime rt(std::size_t{2});
  std::atomic<int> ran{0};
  auto body = [&]() -> task<> {
    for (int k = 0; k < 5; ++k) co_await yield();
    ran.fetch_add(1);
  };
  for (int i = 0; i < 1000; ++i) rt.spawn(body()).detach();
  EXPECT_TRUE(rt.drain(30s));
  EXPECT_EQ(ran.load(), 1000);
}

TEST(drain, of_an_unused_runtime_is_true_at_once) {
  runtime rt(std::size_t{2});
  EXPECT_TRUE(rt.drain(0s));
  EXPECT_EQ(rt.metrics().threads_started, 0u);
}

TEST(drain, says_when_its_time_was_too_short) {
  runtime rt(std::size_t{2});
  tally started;
  auto body = [&]() -> task<> {
    started.add();
    co_await sleep_for(24h);
  };
  rt.spawn(body()).detach();
  started.wait_for(1);
  EXPECT_FALSE(rt.drain(0s));
}

TEST(drain, inside_a_loop_is_refused) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<> {
    EXPECT_THROW((void)rt.drain(1s), blocking_in_loop);
    co_return;
  };
  rt.run(main());
}

}  // namespace
}  // namespace harrier::test
