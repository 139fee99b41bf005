// SPDX-License-Identifier: Apache-2.0
// The runtime under many seeds: spawns, cancels, forks, moves, offloads, timers, and its end at any
// moment. What must hold: each task ends once, nothing is lost, no frame is left.
#include <harrier/runtime.hpp>

#include "sim/seeds.hpp"
#include "unit/support.hpp"

#include <optional>

namespace harrier::test {
namespace {

constexpr int quick = scaled(1000, 100);

TEST(sim_runtime, what_several_threads_spawn_runs_once) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    std::atomic<int> ran{0};
    auto body = [&]() -> task<> {
      co_await yield();
      ++ran;
    };
    auto spawn_some = [&] {
      for (int each = 0; each < 4; ++each) {
        rt.spawn(body()).detach();
      }
    };
    std::thread other(spawn_some);
    spawn_some();
    other.join();
    EXPECT_TRUE(rt.drain(10s));
    EXPECT_EQ(ran, 8);
    const runtime_metrics figures = rt.metrics();
    EXPECT_EQ(figures.tasks_spawned, figures.tasks_finished);
  });
}

TEST(sim_runtime, a_cancel_races_with_the_end) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    std::atomic<bool> finished{false};
    auto body = [&]() -> task<int> {
      co_await yield();
      co_await sleep_for(50us);
      finished = true;
      co_return 7;
    };
    auto handle = rt.spawn(body());
    std::this_thread::sleep_for(40us);
    const bool asked = handle.cancel();
    try {
      EXPECT_EQ(handle.get(), 7);
      EXPECT_TRUE(finished);
    } catch (const run_cancelled&) {
      EXPECT_TRUE(asked);
    }
  });
}

TEST(sim_runtime, a_wake_races_with_a_cancel) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    auto waiter = [](join_handle<int> what) -> task<int> {
      try {
        const int value = co_await what;
        co_return value;
      } catch (const cancelled&) {
        co_return -1;
      }
    };
    auto slow = []() -> task<int> {
      co_await yield();
      co_return 3;
    };
    auto handle = rt.spawn(waiter(rt.spawn(slow())));
    handle.cancel();
    try {
      const int value = handle.get();
      EXPECT_TRUE(value == 3 || value == -1) << value;
    } catch (const run_cancelled&) {  // before it had begun
    }
  });
}

task<int> fib(int n) {
  if (n < 2) {
    co_return n;
  }
  auto left = co_await fork(fib(n - 1));
  auto right_side = fib(n - 2);
  const int right = co_await right_side;
  const int sum = co_await left;
  co_return sum + right;
}

TEST(sim_runtime, forks_join_wherever_they_run) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    EXPECT_EQ(rt.run(fib(7)), 13);
  });
}

TEST(sim_runtime, a_dropped_fork_is_cancelled_and_waited_for) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    std::atomic<int> inside{0};
    auto child = [&]() -> task<> {
      ++inside;
      try {
        co_await sleep_for(1h);
      } catch (const cancelled&) {
        --inside;
        throw;
      }
    };
    auto parent = [&]() -> task<> {
      auto first = co_await fork(child());
      auto second = co_await fork(child());
      co_await yield();
      throw boom();
    };
    EXPECT_THROW(rt.run(parent()), boom);
    EXPECT_TRUE(rt.drain(10s));
    EXPECT_EQ(inside, 0);
  });
}

TEST(sim_runtime, tasks_move_between_workers) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    auto traveller = [](std::size_t first) -> task<> {
      for (std::size_t stop = 0; stop < 4; ++stop) {
        const std::size_t next = (first + stop) % 3;
        co_await resume_on(next);
        EXPECT_EQ(this_worker::id(), next);
      }
      co_await resume_anywhere();
    };
    auto a = rt.spawn_on(1, traveller(0));
    auto b = rt.spawn(traveller(2));
    a.get();
    b.get();
  });
}

TEST(sim_runtime, offloaded_calls_come_back) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    auto body = [](int number) -> task<int> {
      auto square = offload([number] { return number * number; });
      const int squared = co_await square;
      auto sleep = offload_blocking([squared] {
        std::this_thread::sleep_for(1ms);
        return squared + 1;
      });
      const int result = co_await sleep;
      co_return result;
    };
    auto a = rt.spawn(body(2));
    auto b = rt.spawn(body(3));
    EXPECT_EQ(a.get() + b.get(), 15);
  });
}

TEST(sim_runtime, timers_fire_in_order) {
  for_each_seed(quick, "1 worker", [] {
    runtime rt(std::size_t{1});
    std::vector<int> order;
    auto body = [&](int number) -> task<> {
      co_await sleep_for(number * 10ms);
      order.push_back(number);
    };
    auto c = rt.spawn(body(3));
    auto a = rt.spawn(body(1));
    auto b = rt.spawn(body(2));
    a.get();
    b.get();
    c.get();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  });
}

TEST(sim_runtime, a_full_queue_blocks_and_goes_on) {
  for_each_seed(quick, "2 workers", [] {
    runtime_options options;
    options.workers = 2;
    options.queue_limit = 2;
    runtime rt(std::move(options));
    std::atomic<int> ran{0};
    auto body = [&]() -> task<> {
      ++ran;
      co_return;
    };
    auto spawn_some = [&] {
      for (int each = 0; each < 5; ++each) {
        rt.spawn(body()).detach();
      }
    };
    std::thread other(spawn_some);
    spawn_some();
    other.join();
    EXPECT_TRUE(rt.drain(10s));
    EXPECT_EQ(ran, 10);
  });
}

// submitted = ended by itself + cancelled + refused.
TEST(sim_runtime, stop_races_with_spawn) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    int refused = 0;
    int ended = 0;
    int ended_cancelled = 0;
    std::thread other([&] {
      std::vector<join_handle<void>> handles;
      for (int each = 0; each < 6; ++each) {
        try {
          handles.push_back(rt.spawn([]() -> task<> {
            co_await yield();
            co_await yield();
          }()));
        } catch (const runtime_stopped&) {
          ++refused;
        }
      }
      for (join_handle<void>& each : handles) {
        try {
          each.get();
          ++ended;
        } catch (const run_cancelled&) {
          ++ended_cancelled;
        }
      }
    });
    std::this_thread::sleep_for(20us);
    rt.stop();
    other.join();
    EXPECT_EQ(refused + ended + ended_cancelled, 6);
  });
}

TEST(sim_runtime, posts_to_a_sleeping_loop_arrive) {
  for_each_seed(quick, "a lone runner", [] {
    std::atomic<event_loop*> loop{nullptr};
    std::atomic<int> posted{0};
    std::thread other([&] {
      while (loop == nullptr) {
        std::this_thread::yield();
      }
      for (int each = 0; each < 3; ++each) {
        loop.load()->post([&] { ++posted; });
      }
    });
    auto body = [&]() -> task<> {
      loop = &this_loop();
      while (posted < 3) {
        co_await sleep_for(100us);
      }
    };
    run(body());
    other.join();
  });
}

TEST(sim_runtime, ends_at_any_moment) {
  for_each_seed(quick, "3 workers", [] {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    auto body = [&](auto& self, int depth) -> task<> {
      ++begun;
      try {
        if (depth > 0) {
          harrier::spawn(self(self, depth - 1)).detach();
          co_await yield();
        }
        co_await sleep_for(1ms);
        ++ended;
      } catch (const cancelled&) {
        ++ended;
        throw;
      }
    };
    {
      runtime rt(std::size_t{3});
      rt.spawn(body(body, 3)).detach();
      rt.spawn(body(body, 2)).detach();
      std::this_thread::sleep_for(30us);
    }
    EXPECT_EQ(begun, ended);
  });
}

}  // namespace
}  // namespace harrier::test
