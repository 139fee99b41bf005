// SPDX-License-Identifier: Apache-2.0
// runtime::spawn and try_spawn from ordinary code and from coroutines; the queue limit.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <latch>
#include <memory>
#include <optional>
#include <thread>

namespace harrier::test {
namespace {

TEST(runtime_spawn, get_gives_the_value) {
  runtime rt(std::size_t{2});
  auto handle = rt.spawn(give(5));
  EXPECT_EQ(handle.get(), 5);
}

TEST(runtime_spawn, get_gives_a_move_only_value) {
  runtime rt(std::size_t{2});
  auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(6); };
  auto handle = rt.spawn(make());
  EXPECT_EQ(*handle.get(), 6);
}

TEST(runtime_spawn, get_rethrows) {
  runtime rt(std::size_t{2});
  auto handle = rt.spawn(throw_boom());
  EXPECT_THROW((void)handle.get(), boom);
}

TEST(runtime_spawn, dropping_the_handle_of_a_done_task_destroys_its_frame_at_once) {
  const auto body = [](tracked) -> task<> { co_return; };
  runtime rt(std::size_t{2});
  for (int i = 0; i < scaled(2000, 200); ++i) {
    {
      auto handle = rt.spawn(body(tracked()));
      while (!handle.done()) {
        std::this_thread::yield();
      }
      ASSERT_EQ(tracked::alive(), 1);
    }
    ASSERT_EQ(tracked::alive(), 0);
  }
}

TEST(runtime_spawn, a_coroutine_that_joined_a_task_destroys_its_frame_with_the_handle) {
  const auto body = [](tracked) -> task<> { co_return; };
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<> {
    for (int i = 0; i < scaled(2000, 200); ++i) {
      {
        auto handle = rt.spawn(body(tracked()));
        co_await handle;
      }
      EXPECT_EQ(tracked::alive(), 0);
    }
  };
  rt.run(main());
}

TEST(runtime_spawn, wait_waits_and_throws_nothing) {
  runtime rt(std::size_t{2});
  auto handle = rt.spawn(throw_boom());
  EXPECT_NO_THROW(handle.wait());
  EXPECT_TRUE(handle.done());
  EXPECT_THROW((void)handle.get(), boom);
}

TEST(runtime_spawn, handle_is_awaited_from_a_coroutine_of_the_runtime) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<int> {
    auto handle = rt.spawn(give(7));
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 7);
}

TEST(runtime_spawn, handle_is_awaited_from_a_lone_runner) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<int> {
    auto handle = rt.spawn(give(7));
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(run(main()), 7);
}

TEST(runtime_spawn, free_spawn_inside_a_worker_runs_on_the_runtime) {
  runtime rt(std::size_t{2});
  auto where = []() -> task<bool> { co_return this_worker::id().has_value(); };
  auto main = [&]() -> task<bool> {
    auto handle = spawn(where());
    const bool on_worker = co_await handle;
    co_return on_worker;
  };
  EXPECT_TRUE(rt.run(main()));
}

TEST(runtime_spawn, blocking_get_inside_a_loop_is_refused) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<int> {
    auto handle = rt.spawn(give(8));
    EXPECT_THROW((void)handle.get(), blocking_in_loop);
    EXPECT_THROW(handle.wait(), blocking_in_loop);
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 8);
  EXPECT_EQ(run(main()), 8);
}

TEST(runtime_spawn, cancel_of_a_sleeping_task) {
  runtime rt(std::size_t{2});
  tally started;
  std::atomic<int> cancels{0};
  auto body = [&]() -> task<> {
    started.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cancels;
      throw;
    }
  };
  auto handle = rt.spawn(body());
  started.wait_for(1);
  EXPECT_TRUE(handle.cancel("enough"));
  std::string text;
  try {
    handle.get();
  } catch (const run_cancelled& e) {
    text = e.what();
  }
  EXPECT_NE(text.find("enough"), std::string::npos) << text;
  EXPECT_EQ(cancels.load(), 1);
  EXPECT_FALSE(handle.cancel());
}

// The only worker is held up, so the task cannot have started when it is cancelled.
TEST(runtime_spawn, cancel_before_the_start_never_runs_the_body) {
  runtime rt(std::size_t{1});
  std::latch release(1);
  tally busy;
  auto block = [&]() -> task<> {
    busy.add();
    release.wait();
    co_return;
  };
  bool started = false;
  auto blocker = rt.spawn(block());
  busy.wait_for(1);
  auto handle = rt.spawn(hold(tracked(), started));
  EXPECT_TRUE(handle.cancel());
  release.count_down();
  EXPECT_THROW(handle.get(), run_cancelled);
  blocker.get();
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(runtime_spawn, a_hundred_thousand_tasks) {
  runtime rt(std::size_t{2});
  std::atomic<long> sum{0};
  auto body = [&](long i) -> task<> {
    sum.fetch_add(i);
    co_return;
  };
  constexpr long n = scaled(100'000L, 20'000L);
  std::vector<join_handle<void>> handles;
  for (long i = 0; i < n; ++i) handles.push_back(rt.spawn(body(i)));
  for (auto& h : handles) h.get();
  EXPECT_EQ(sum.load(), n * (n - 1) / 2);
}

TEST(runtime_spawn, detached_error_reaches_the_handler_with_the_name) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.exception_handler = std::ref(log);
  {
    runtime rt(options);
    rt.spawn(throw_boom("lost"), "the lost one").detach();
    EXPECT_TRUE(rt.drain(10s));
  }
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(text_of(log.at(0).error), "lost");
  EXPECT_EQ(log.at(0).task_name, "the lost one");
}

// In debug mode. From outside, from a worker, and bound to one: the line of the call.
TEST(runtime_spawn, an_unread_error_says_where_its_task_was_spawned) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.debug = debug_mode::on;
  options.exception_handler = std::ref(log);
  std::vector<unsigned> lines;
  {
    runtime rt(options);
    auto inside = [&]() -> task<> {
      rt.spawn(throw_boom("inside")).detach();
      lines.push_back(__LINE__ - 1);
      co_return;
    };
    auto bound_beside = [&]() -> task<> {
      rt.spawn_on(this_worker::id().value(), throw_boom("beside")).detach();
      lines.push_back(__LINE__ - 1);
      co_return;
    };
    const auto next = [&] { ASSERT_TRUE(rt.drain(10s)); };
    rt.spawn(throw_boom("outside"), "named").detach();
    lines.push_back(__LINE__ - 1);
    next();
    rt.spawn(throw_boom("urgent"), priority::high).detach();
    lines.push_back(__LINE__ - 1);
    next();
    rt.spawn_on(1, throw_boom("bound")).detach();
    lines.push_back(__LINE__ - 1);
    next();
    auto tried = throw_boom("tried");
    rt.try_spawn(tried)->detach();
    lines.push_back(__LINE__ - 1);
    next();
    rt.run(inside());
    next();
    rt.run(bound_beside());
    next();
  }
  ASSERT_EQ(log.size(), lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_TRUE(log.at(i).spawned_at.has_value()) << i;
    EXPECT_EQ(log.at(i).spawned_at->line(), lines[i]) << i;
    EXPECT_TRUE(std::string_view(log.at(i).spawned_at->file_name()).ends_with("spawn_test.cpp"));
  }
}

TEST(runtime_spawn, notes_no_place_outside_debug_mode) {
  error_log log;
  runtime_options options;
  options.workers = 1;
  options.debug = debug_mode::off;
  options.exception_handler = std::ref(log);
  {
    runtime rt(options);
    rt.spawn(throw_boom("lost")).detach();
    ASSERT_TRUE(rt.drain(10s));
  }
  ASSERT_EQ(log.size(), 1u);
  EXPECT_FALSE(log.at(0).spawned_at.has_value());
}

// The handle is dropped by a thread without a loop, when the task has long ended, even when the
// runtime has: the runtime's handler is told nevertheless.
TEST(runtime_spawn, unread_error_of_an_ended_task_reaches_the_handler_of_its_runtime) {
  error_log log;
  runtime_options options;
  options.workers = 1;
  options.exception_handler = std::ref(log);
  {
    join_handle<int> late;
    {
      runtime rt(options);
      auto early = rt.spawn(throw_boom("dropped at once"), "early");
      late = rt.spawn(throw_boom("dropped after the end"), "late");
      EXPECT_TRUE(rt.drain(10s));
      EXPECT_EQ(log.size(), 0u);
    }
    EXPECT_EQ(log.size(), 1u);
  }
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(text_of(log.at(0).error), "dropped at once");
  EXPECT_EQ(log.at(0).task_name, "early");
  EXPECT_EQ(text_of(log.at(1).error), "dropped after the end");
  EXPECT_EQ(log.at(1).task_name, "late");
}

TEST(runtime_spawn, of_an_empty_task_throws_invalid_task) {
  runtime rt(std::size_t{1});
  auto t = give(1);
  const auto other = std::move(t);
  EXPECT_THROW((void)rt.spawn(std::move(t)), invalid_task);  // NOLINT(bugprone-use-after-move)
}

// A worker that is held up, so that what is spawned stays in the queue.
class held_runtime {
 public:
  explicit held_runtime(std::size_t queue_limit) : rt(options(queue_limit)), release_(1) {
    blocker_ = rt.spawn(block(*this));
    busy_.wait_for(1);
  }
  ~held_runtime() { release(); }

  void release() {
    if (!released_) release_.count_down();
    released_ = true;
  }

 private:
  static runtime_options options(std::size_t queue_limit) {
    runtime_options o;
    o.workers = 1;
    o.queue_limit = queue_limit;
    return o;
  }
  static task<> block(held_runtime& self) {
    self.busy_.add();
    self.release_.wait();
    co_return;
  }

 public:
  runtime rt;

 private:
  std::latch release_;
  tally busy_;
  bool released_ = false;
  join_handle<void> blocker_;
};

TEST(queue_limit, try_spawn_takes_the_task_only_if_there_is_room) {
  held_runtime held(3);
  std::vector<join_handle<int>> handles;
  std::optional<task<int>> refused;
  for (int i = 0; i < 100; ++i) {
    task<int> t = give(i);
    auto handle = held.rt.try_spawn(t);
    if (!handle) {
      refused.emplace(std::move(t));
      break;
    }
    EXPECT_FALSE(t.valid());
    handles.push_back(std::move(*handle));
  }
  EXPECT_GE(handles.size(), 1u);
  EXPECT_LE(handles.size(), 3u);
  ASSERT_TRUE(refused.has_value());
  EXPECT_TRUE(refused->valid()) << "a refused task stays with its owner";
  held.release();
  for (std::size_t i = 0; i < handles.size(); ++i) {
    EXPECT_EQ(handles[i].get(), static_cast<int>(i));
  }
  EXPECT_EQ(held.rt.run(std::move(*refused)), static_cast<int>(handles.size()));
}

TEST(queue_limit, none_means_that_try_spawn_always_has_room) {
  held_runtime held(0);
  std::vector<join_handle<int>> handles;
  for (int i = 0; i < 1000; ++i) {
    task<int> t = give(i);
    auto handle = held.rt.try_spawn(t);
    ASSERT_TRUE(handle.has_value());
    handles.push_back(std::move(*handle));
  }
  held.release();
  for (auto& h : handles) (void)h.get();
}

TEST(queue_limit, spawn_from_outside_waits_for_room) {
  held_runtime held(2);
  std::atomic<int> spawned{0};
  std::atomic<int> ran{0};
  auto body = [&]() -> task<> {
    ran.fetch_add(1);
    co_return;
  };
  std::thread spawner([&] {
    for (int i = 0; i < 50; ++i) {
      held.rt.spawn(body()).detach();
      spawned.fetch_add(1);
    }
  });
  // However long the spawner has run by now, it cannot have got past the limit.
  std::this_thread::yield();
  EXPECT_LE(spawned.load(), 2);
  held.release();
  spawner.join();
  EXPECT_EQ(spawned.load(), 50);
  EXPECT_TRUE(held.rt.drain(10s));
  EXPECT_EQ(ran.load(), 50);
}

TEST(queue_limit, spawn_from_inside_is_not_limited) {
  runtime_options options;
  options.workers = 1;
  options.queue_limit = 2;
  runtime rt(options);
  auto main = [&]() -> task<int> {
    std::vector<join_handle<int>> handles;
    for (int i = 0; i < 100; ++i) handles.push_back(rt.spawn(give(1)));
    int sum = 0;
    for (auto& h : handles) {
      const int value = co_await h;
      sum += value;
    }
    co_return sum;
  };
  EXPECT_EQ(rt.run(main()), 100);
}

TEST(queue_limit, many_outside_threads_share_the_room) {
  runtime_options options;
  options.workers = 2;
  options.queue_limit = 4;
  runtime rt(options);
  std::atomic<long> ran{0};
  auto body = [&]() -> task<> {
    co_await yield();
    ran.fetch_add(1);
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) rt.spawn(body()).detach();
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_TRUE(rt.drain(30s));
  EXPECT_EQ(ran.load(), 2000);
}

}  // namespace
}  // namespace harrier::test
