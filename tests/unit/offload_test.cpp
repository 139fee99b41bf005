// SPDX-License-Identifier: Apache-2.0
// offload() and offload_blocking(): where the callable runs, what comes back. Timing is in stress/.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <latch>
#include <memory>
#include <set>

namespace harrier::test {
namespace {

TEST(offload, gives_the_value) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<int> {
    auto op = offload([] { return 42; });
    const int value = co_await op;
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 42);
}

TEST(offload, gives_nothing_for_void) {
  runtime rt(std::size_t{2});
  std::atomic<bool> ran{false};
  auto main = [&]() -> task<> {
    auto op = offload([&] { ran = true; });
    co_await op;
    EXPECT_TRUE(ran);
  };
  rt.run(main());
}

TEST(offload, carries_owning_captures_and_move_only_results) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<int> {
    auto input = std::make_unique<int>(20);
    auto work = [input = std::move(input)] { return std::make_unique<int>(*input + 1); };
    auto op = offload(std::move(work));
    const std::unique_ptr<int> value = co_await op;
    co_return *value;
  };
  EXPECT_EQ(rt.run(main()), 21);
}

TEST(offload, rethrows) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<std::string> {
    auto op = offload([]() -> int { throw boom("elsewhere"); });
    std::string text;
    try {
      (void)co_await op;
    } catch (const boom& e) {
      text = e.what();
    }
    co_return text;
  };
  EXPECT_EQ(rt.run(main()), "elsewhere");
}

TEST(offload, from_a_lone_runner_is_refused) {
  auto main = []() -> task<int> {
    auto op = offload([] { return 6; });
    const int value = co_await op;
    co_return value;
  };
  EXPECT_THROW((void)run(main()), no_running_loop);
}

TEST(offload, many_at_once) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t i) -> task<std::uint64_t> {
    auto op = offload([i] { return i * 2; });
    const std::uint64_t value = co_await op;
    co_return value;
  };
  auto b = rt.dispatch(1000, body);
  const auto results = b.get();
  for (std::uint64_t i = 0; i < results.size(); ++i) ASSERT_EQ(results[i], i * 2);
}

TEST(offload_blocking, runs_off_the_worker) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<bool> {
    const std::thread::id mine = std::this_thread::get_id();
    auto op = offload_blocking([] { return std::this_thread::get_id(); });
    const std::thread::id theirs = co_await op;
    co_return mine != theirs;
  };
  EXPECT_TRUE(rt.run(main()));
  EXPECT_EQ(rt.metrics().blocking_threads_started, 1u);
}

TEST(offload_blocking, starts_no_thread_before_it_is_used) {
  runtime rt(std::size_t{2});
  rt.run(give(1));
  EXPECT_EQ(rt.metrics().blocking_threads_started, 0u);
}

// The worker must be free while the call blocks: the call waits for what the worker does next.
TEST(offload_blocking, leaves_the_worker_free) {
  runtime rt(std::size_t{1});
  std::latch released(1);
  auto release = [&]() -> task<> {
    released.count_down();
    co_return;
  };
  auto main = [&]() -> task<> {
    auto releasing = spawn(release());
    auto op = offload_blocking([&] { released.wait(); });
    co_await op;
    co_await releasing;
  };
  rt.run(main());
}

// Sixteen calls that all wait for each other: they must be on sixteen threads.
TEST(offload_blocking, calls_that_wait_for_each_other_all_run) {
  runtime rt(std::size_t{2});
  std::latch all(16);
  auto body = [&](std::uint64_t) -> task<> {
    auto op = offload_blocking([&] { all.arrive_and_wait(); });
    co_await op;
  };
  rt.dispatch(16, body).get();
  EXPECT_GE(rt.metrics().blocking_threads_started, 16u);
}

TEST(offload_blocking, never_has_more_threads_than_its_limit) {
  runtime_options options;
  options.workers = 2;
  options.max_blocking_threads = 3;
  runtime rt(options);
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  auto body = [&](std::uint64_t) -> task<> {
    auto op = offload_blocking([&] {
      const int here = now.fetch_add(1) + 1;
      int seen = most.load();
      while (here > seen && !most.compare_exchange_weak(seen, here)) {
      }
      std::this_thread::yield();
      now.fetch_sub(1);
    });
    co_await op;
  };
  rt.dispatch(200, body).get();
  EXPECT_LE(most.load(), 3);
  EXPECT_LE(rt.metrics().blocking_threads_started, 3u);
}

TEST(offload_blocking, gives_values_and_errors) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<std::string> {
    auto work = [] { return std::string("a text that is too long for the small buffer"); };
    auto op = offload_blocking(std::move(work));
    std::string text = co_await op;
    auto failing = offload_blocking([]() -> int { throw boom("io"); });
    try {
      (void)co_await failing;
    } catch (const boom& e) {
      text += e.what();
    }
    co_return text;
  };
  EXPECT_EQ(rt.run(main()), "a text that is too long for the small bufferio");
}

TEST(offload_blocking, destroying_the_runtime_waits_for_calls_that_run) {
  std::atomic<bool> finished{false};
  tally started;
  std::latch release(1);
  std::thread releaser;
  {
    runtime rt(std::size_t{1});
    auto main = [&]() -> task<> {
      auto op = offload_blocking([&] {
        started.add();
        release.wait();
        finished = true;
      });
      co_await op;
    };
    rt.spawn(main()).detach();
    started.wait_for(1);
    releaser = std::thread([&] { release.count_down(); });
  }
  EXPECT_TRUE(finished);
  releaser.join();
}

}  // namespace
}  // namespace harrier::test
