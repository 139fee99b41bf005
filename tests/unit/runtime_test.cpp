// SPDX-License-Identifier: Apache-2.0
// runtime: construction, run(), laziness and the counters that prove it.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <system_error>
#include <type_traits>

namespace harrier::test {
namespace {

static_assert(std::is_final_v<runtime>);
static_assert(!std::is_copy_constructible_v<runtime>);
static_assert(!std::is_move_constructible_v<runtime>);
static_assert(!std::is_aggregate_v<runtime_options>);
static_assert(!std::is_aggregate_v<dispatch_options>);
static_assert(max_workers == 1024);

TEST(runtime, default_workers_are_at_least_one_and_at_most_the_limit) {
  EXPECT_GE(default_workers(), 1u);
  EXPECT_LE(default_workers(), max_workers);
  const runtime rt;
  EXPECT_EQ(rt.workers(), default_workers());
}

TEST(runtime, zero_workers_are_refused) {
  EXPECT_THROW(runtime(std::size_t{0}), std::invalid_argument);
  runtime_options options;
  options.workers = 0;
  EXPECT_THROW(runtime{options}, std::invalid_argument);
}

TEST(runtime, more_than_1024_workers_are_refused) {
  EXPECT_THROW(runtime(std::size_t{1025}), std::invalid_argument);
  EXPECT_THROW(runtime(std::size_t{65536}), std::invalid_argument);
  try {
    const runtime rt(std::size_t{1025});
    FAIL() << "1025 workers were accepted";
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find("1024"), std::string::npos) << e.what();
  }
}

TEST(runtime, exactly_1024_workers_are_accepted_and_cost_nothing_unused) {
  const runtime rt(std::size_t{1024});
  EXPECT_EQ(rt.workers(), 1024u);
  EXPECT_EQ(rt.metrics().threads_started, 0u);
}

TEST(runtime, constructing_starts_nothing) {
  const runtime rt(std::size_t{4});
  const runtime_metrics m = rt.metrics();
  EXPECT_EQ(m.workers, 4u);
  EXPECT_EQ(m.threads_started, 0u);
  EXPECT_EQ(m.loops_created, 0u);
  EXPECT_EQ(m.pollers_created, 0u);
  EXPECT_EQ(m.blocking_threads_started, 0u);
  EXPECT_EQ(m.frames_live, 0u);
  EXPECT_EQ(m.tasks_spawned, 0u);
}

TEST(runtime, a_batch_of_one_starts_at_most_one_thread_and_one_loop) {
  runtime rt(std::size_t{4});
  auto b = rt.dispatch(1, [](std::uint64_t i) { return give(static_cast<int>(i) + 5); });
  EXPECT_EQ(b.get()[0], 5);
  const runtime_metrics m = rt.metrics();
  EXPECT_LE(m.threads_started, 1u);
  EXPECT_EQ(m.loops_created, 1u);
  EXPECT_EQ(m.pollers_created, 0u);
}

TEST(runtime, a_large_batch_creates_no_more_loops_than_workers) {
  runtime rt(std::size_t{4});
  auto b = rt.dispatch(100'000, [](std::uint64_t i) { return give(static_cast<int>(i)); });
  b.wait();
  const runtime_metrics m = rt.metrics();
  EXPECT_GE(m.loops_created, 1u);
  EXPECT_LE(m.loops_created, 4u);
  EXPECT_LE(m.threads_started, 4u);
}

TEST(runtime, run_gives_the_result) {
  runtime rt(std::size_t{2});
  EXPECT_EQ(rt.run(give(42)), 42);
  auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
  EXPECT_EQ(*rt.run(make()), 3);
  int object = 0;
  auto refer = [&]() -> task<int&> { co_return object; };
  EXPECT_EQ(&rt.run(refer()), &object);
  bool ran = false;
  auto nothing = [&]() -> task<> {
    ran = true;
    co_return;
  };
  rt.run(nothing());
  EXPECT_TRUE(ran);
}

TEST(runtime, run_rethrows_and_the_runtime_stays_usable) {
  runtime rt(std::size_t{2});
  EXPECT_THROW(rt.run(throw_boom()), boom);
  EXPECT_EQ(rt.run(give(1)), 1);
}

TEST(runtime, run_returns_when_the_parameters_are_gone) {
  const auto body = [](tracked) -> task<> { co_return; };
  runtime rt(std::size_t{2});
  for (int i = 0; i < scaled(2000, 200); ++i) {
    rt.run(body(tracked()));
    ASSERT_EQ(tracked::alive(), 0);
  }
}

TEST(runtime, run_from_many_threads_at_once) {
  runtime rt(std::size_t{2});
  std::atomic<long> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) sum += rt.run(give(t));
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sum.load(), 100L * (7 * 8 / 2));
}

TEST(runtime, blocking_run_inside_a_loop_is_refused) {
  runtime rt(std::size_t{2});
  bool started = false;
  auto touch = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto main = [&]() -> task<> {
    EXPECT_THROW(rt.run(touch()), std::logic_error);
    co_return;
  };
  rt.run(main());  // inside a worker of the same runtime
  run(main());  // inside a lone runner's loop
  runtime other(std::size_t{1});
  other.run(main());  // inside a worker of another runtime
  EXPECT_FALSE(started);
}

TEST(runtime, blocking_refusal_names_co_await) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<std::string> {
    std::string text;
    try {
      rt.run(give(1));
    } catch (const std::logic_error& e) {
      text = e.what();
    }
    co_return text;
  };
  EXPECT_NE(rt.run(main()).find("co_await"), std::string::npos);
}

TEST(runtime, runner_run_inside_a_worker_is_refused) {
  runtime rt(std::size_t{2});
  bool started = false;
  auto touch = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto main = [&]() -> task<> {
    EXPECT_THROW(run(touch()), loop_running);
    co_return;
  };
  rt.run(main());
  EXPECT_FALSE(started);
}

TEST(runtime, sleeps_run_on_its_clock) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  EXPECT_EQ(rt.run(sleep_then(24h, 6)), 6);
  EXPECT_EQ(time.now(), time_point{} + 24h);
}

TEST(runtime, two_runtimes_live_side_by_side) {
  runtime a(std::size_t{2});
  runtime b(std::size_t{2});
  auto across = [&]() -> task<int> {
    auto handle = b.spawn(give(20));
    const int value = co_await handle;
    co_return value + 1;
  };
  EXPECT_EQ(a.run(across()), 21);
}

TEST(runtime, destroying_cancels_what_still_runs_and_joins) {
  bool was_cancelled = false;
  auto body = [&](tracked /*local*/) -> task<> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      was_cancelled = true;
      throw;
    }
  };
  {
    runtime rt(std::size_t{2});
    auto handle = rt.spawn(body(tracked()));
    handle.detach();
    rt.run(give(1));
  }
  // Whether the body had started when the runtime went is a race; if it had, it was cancelled.
  EXPECT_EQ(tracked::alive(), 0);
  EXPECT_EQ(live_frames(), 0u);
  (void)was_cancelled;
}

TEST(runtime, is_destroyed_unused) {
  const runtime rt(std::size_t{8});
  (void)rt;
}

TEST(runtime, a_thread_that_cannot_be_made_is_an_error_and_starts_nothing) {
  std::atomic<int> refused{0};
  std::atomic<bool> refuse{true};
  runtime_options options;
  options.provider = thread_provider::own_threads;  // the one with a thread_factory
  options.workers = 2;
  options.thread_factory = [&](std::function<void()> body) {
    if (refuse) {
      ++refused;
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    return std::thread(std::move(body));
  };
  runtime rt(options);
  bool started = false;
  auto touch = [&]() -> task<> {
    started = true;
    co_return;
  };
  EXPECT_THROW((void)rt.spawn(touch()), std::system_error);
  EXPECT_FALSE(started);
  EXPECT_GE(refused.load(), 1);
  refuse = false;
  EXPECT_EQ(rt.run(give(9)), 9);
}

TEST(runtime, trim_at_rest_is_harmless) {
  runtime rt(std::size_t{2});
  rt.dispatch(10'000, [](std::uint64_t i) { return give(static_cast<int>(i)); }).wait();
  rt.trim();
  EXPECT_EQ(rt.run(give(1)), 1);
}

}  // namespace
}  // namespace harrier::test
