// SPDX-License-Identifier: Apache-2.0
// The simulation itself: what it decides, what it finds, and what it says.
#include <harrier/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace harrier::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// What `f` throws, as text; empty if it does not.
template <class F>
std::string failure_of(F f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

void sum_a_batch() {
  runtime rt(3);
  auto numbers = rt.dispatch(40, [](std::uint64_t item) -> task<std::uint64_t> {
    co_await yield();
    co_return item;
  });
  std::uint64_t sum = 0;
  for (const std::uint64_t each : numbers.get()) {
    sum += each;
  }
  if (sum != 780) {
    throw std::runtime_error("sum " + std::to_string(sum));
  }
}

TEST(simulation, the_same_seed_gives_the_same_trace) {
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    simulation first(seed);
    first.run(sum_a_batch);
    simulation second(seed);
    second.run(sum_a_batch);
    EXPECT_EQ(first.trace(), second.trace()) << "seed " << seed;
    EXPECT_EQ(first.switches(), second.switches()) << "seed " << seed;
    traces.insert(first.trace());
  }
  EXPECT_EQ(traces.size(), 20u);
}

TEST(simulation, time_is_virtual) {
  const auto before = std::chrono::steady_clock::now();
  simulation sim(1);
  sim.run([] {
    const auto start = std::chrono::steady_clock::now();
    const auto wall = std::chrono::system_clock::now();
    runtime rt(2);
    rt.run([]() -> task<> { co_await sleep_for(24h); }());
    std::this_thread::sleep_for(1h);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 25h);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 26h);
    EXPECT_GE(std::chrono::system_clock::now() - wall, 25h);
  });
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1h);
}

TEST(simulation, threads_locks_and_futures_of_ones_own_code_are_virtual) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    simulation sim(seed);
    sim.run([] {
      std::mutex mutex;
      std::shared_mutex shared;
      std::condition_variable changed;
      int arrived = 0;
      std::promise<int> promise;
      std::vector<std::thread> threads;
      std::set<std::thread::id> ids;
      for (int each = 0; each < 3; ++each) {
        threads.emplace_back([&] {
          {
            const std::shared_lock lock(shared);
          }
          std::unique_lock lock(mutex);
          ids.insert(std::this_thread::get_id());
          ++arrived;
          changed.notify_all();
          changed.wait(lock, [&] { return arrived == 3; });
        });
      }
      threads.emplace_back([&] { promise.set_value(7); });
      {
        const std::unique_lock lock(shared);
      }
      EXPECT_EQ(promise.get_future().get(), 7);
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return arrived == 3; });
        EXPECT_FALSE(changed.wait_for(lock, 10s, [] { return false; }));
      }
      for (std::thread& each : threads) {
        each.join();
      }
      EXPECT_EQ(ids.size(), 3u);
    });
  }
}

TEST(simulation, what_the_body_throws_comes_out) {
  simulation sim(1);
  EXPECT_THROW(sim.run([] {
    runtime rt(2);
    rt.run([]() -> task<> {
      throw std::out_of_range("mine");
      co_return;
    }());
  }),
               std::out_of_range);
}

TEST(simulation, finds_a_lost_update_between_threads) {
  const std::string text = failure_of([] {
    simulate(1000, [] {
      std::atomic<int> count{0};
      auto add = [&] {
        const int seen = count.load();
        if (seen >= 0) {
          count.store(seen + 1);
        }
      };
      std::thread other(add);
      add();
      other.join();
      if (count != 2) {
        throw std::runtime_error("an update is lost");
      }
    });
  });
  EXPECT_THAT(text, HasSubstr("an update is lost"));
  EXPECT_THAT(text, HasSubstr("preemptions suffice"));
}

TEST(simulation, finds_a_lost_update_between_tasks) {
  EXPECT_THROW(simulate(100, 2,
                        [](runtime& rt) {
                          std::atomic<int> count{0};
                          auto deposit = [&](std::uint64_t) -> task<> {
                            const int seen = count.load();
                            co_await yield();
                            count.store(seen + 1);
                          };
                          rt.dispatch(2, deposit).wait();
                          if (count != 2) {
                            throw std::runtime_error("an update is lost");
                          }
                        }),
               simulation_failed);
}

TEST(simulation, names_who_waits_for_whose_mutex) {
  const std::string text = failure_of([] {
    simulate(1000, [] {
      std::mutex a;
      std::mutex b;
      std::thread other([&] {
        const std::scoped_lock first(b);
        const std::scoped_lock second(a);
      });
      {
        const std::scoped_lock first(a);
        const std::scoped_lock second(b);
      }
      other.join();
    });
  });
  EXPECT_THAT(text, HasSubstr("nothing left to run"));
  EXPECT_THAT(text, HasSubstr("thread 0 (the body) waits in mutex lock, held by thread 1"));
  EXPECT_THAT(text, HasSubstr("thread 1 waits in mutex lock, held by thread 0 (the body)"));
}

task<> wait_for_nothing(event_loop*& loop) {
  loop = &this_loop();
  struct never {
    never() noexcept {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> /*h*/) const noexcept {}
    void await_resume() const noexcept {}
  };
  co_await never();
}

TEST(simulation, names_the_tasks_that_wait_and_their_lines) {
  simulation sim(1);
  const std::string text = failure_of([&] {
    sim.run([] {
      runtime rt(2);
      event_loop* loop = nullptr;
      auto outer = [&]() -> task<> {
        auto inner = wait_for_nothing(loop);
        co_await inner;
      };
      auto handle = rt.spawn(outer(), "the one that waits");
      handle.get();
    });
  });
  EXPECT_THAT(text, HasSubstr("thread 0 (the body) waits in futex wait"));
  EXPECT_THAT(text, HasSubstr("(harrier/0) waits in futex wait"));
  EXPECT_THAT(text, HasSubstr("task #0 \"the one that waits\" waits for a foreign awaitable"));
  EXPECT_THAT(text, HasSubstr("awaits at simulation_test.cpp:"));
}

TEST(simulation, names_a_circle_of_waits) {
  auto lock_both = [](mutex& first, mutex& second, latch& both) -> task<> {
    auto one = co_await first.lock();
    both.count_down();
    co_await both.wait();
    auto two = co_await second.lock();
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    simulation sim(seed);
    const std::string text = failure_of([&] {
      sim.run([&] {
        auto* a = new mutex;  // not on the stack: the tasks are stuck for ever
        auto* b = new mutex;
        auto* both = new latch(2);
        runtime rt(2);
        auto there = rt.spawn(lock_both(*a, *b, *both), "there");
        auto back = rt.spawn(lock_both(*b, *a, *both), "back");
        there.get();
        back.get();
      });
    });
    EXPECT_THAT(text, HasSubstr("a circle of waits, which never ends by itself: #"));
    EXPECT_THAT(text, ::testing::ContainsRegex("\"there\" waits for mutex::lock of 0x[0-9a-f]+, "
                                               "held by #[01] \"back\""));
  }
}

TEST(simulation, tells_a_spin_that_never_ends) {
  simulation sim(1);
  EXPECT_THAT(failure_of([&] {
                sim.run([] {
                  std::atomic<bool> flag{false};
                  while (!flag) {
                    std::this_thread::yield();
                  }
                });
              }),
              HasSubstr("goes on for ever"));
}

TEST(simulation, a_bounded_run_preempts_no_more_than_asked) {
  simulation sim(2, 3);
  sim.run(sum_a_batch);
  EXPECT_LE(sim.preemptions(), 3u);
}

}  // namespace
}  // namespace harrier::test
