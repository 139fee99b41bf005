// SPDX-License-Identifier: Apache-2.0
// Everything at once: a million tasks over 1 to 64 workers that yield, spawn, fork, wait for each
// other and are cancelled at random. What must hold whatever the interleaving: each item ends
// exactly once, every result is the right one, no frame is left.
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <algorithm>
#include <barrier>
#include <memory>
#include <optional>

namespace harrier::test {
namespace {

class runtime_stress : public testing::TestWithParam<std::size_t> {
 protected:
  static constexpr std::uint64_t tasks = scaled<std::uint64_t>(1'000'000, 100'000);
  std::size_t workers() const { return GetParam(); }
};

task<std::uint64_t> leaf(std::uint64_t value) {
  if (value % 4 == 0) co_await yield();
  co_return value;
}

// What each item does follows from its number; its result is always its mix.
task<std::uint64_t> varied(std::uint64_t seed, std::uint64_t i) {
  const std::uint64_t value = mix(seed, i);
  switch (value % 64) {
    case 0: {
      for (std::uint64_t k = 0; k < value / 64 % 8; ++k) co_await yield();
      co_return value;
    }
    case 1: {
      auto handle = spawn(leaf(value));
      const std::uint64_t result = co_await handle;
      co_return result;
    }
    case 2: {
      auto a = co_await fork(leaf(value));
      auto b = co_await fork(leaf(1));
      const std::uint64_t one = co_await b;
      const std::uint64_t result = co_await a;
      co_return result + one - 1;
    }
    case 3: {
      auto child = leaf(value);
      const std::uint64_t result = co_await child;
      co_return result;
    }
    case 4: {
      spawn(leaf(value)).detach();
      co_return value;
    }
    default:
      co_return value;
  }
}

TEST_P(runtime_stress, varied_items_give_the_right_results) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    auto factory = [seed](std::uint64_t i) { return varied(seed, i); };
    auto b = rt.dispatch(tasks, factory);
    const auto results = b.get();
    for (std::uint64_t i = 0; i < tasks; ++i) ASSERT_EQ(results[i], mix(seed, i)) << "item " << i;
    ASSERT_TRUE(rt.drain(60s));
    const runtime_metrics m = rt.metrics();
    EXPECT_EQ(m.tasks_spawned, m.tasks_finished);
    EXPECT_EQ(m.frames_live, 0u);
    EXPECT_LE(m.loops_created, workers());
  });
}

TEST_P(runtime_stress, spawned_tasks_from_several_threads_are_all_run_once) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    constexpr std::uint64_t threads = 4;
    constexpr std::uint64_t each = tasks / 40;
    std::vector<std::atomic<std::uint8_t>> runs(threads * each);
    auto body = [&](std::uint64_t i) -> task<> {
      if (mix(seed, i) % 8 == 0) co_await yield();
      runs[i].fetch_add(1);
    };
    std::vector<std::thread> spawners;
    for (std::uint64_t t = 0; t < threads; ++t) {
      spawners.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < each; ++i) rt.spawn(body(t * each + i)).detach();
      });
    }
    for (std::thread& t : spawners) t.join();
    ASSERT_TRUE(rt.drain(60s));
    for (const auto& n : runs) ASSERT_EQ(n.load(), 1);
  });
}

TEST_P(runtime_stress, batches_cancelled_at_a_random_moment_add_up) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    for (std::uint64_t round = 0; round < 20; ++round) {
      std::atomic<std::uint64_t> bodies{0};
      auto body = [&, seed](std::uint64_t i) -> task<std::uint64_t> {
        bodies.fetch_add(1);
        const std::uint64_t value = mix(seed, i);
        if (value % 16 == 0) co_await yield();
        if (value % 512 == 1) co_await sleep_for(24h);  // only the cancel ends it
        if (value % 256 == 2) throw boom();
        co_return value;
      };
      const std::uint64_t n = tasks / 20;
      auto b = rt.dispatch(n, body);
      const std::uint64_t wait_for = mix(seed, round) % n;
      while (b.counts().started < wait_for && !b.done()) std::this_thread::yield();
      b.cancel();
      b.wait();
      const batch_counts c = b.counts();
      ASSERT_EQ(c.total, n);
      ASSERT_EQ(c.completed + c.failed + c.cancelled, n);
      ASSERT_EQ(c.started, bodies.load());
      ASSERT_GE(c.started, c.completed + c.failed);
      for (std::uint64_t i = 0; i < n; ++i) {
        if (b.has_result(i)) {
          ASSERT_EQ(b.results()[i], mix(seed, i));
        }
      }
    }
  });
}

TEST_P(runtime_stress, spawned_tasks_cancelled_at_random_end_once) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    auto body = [seed](std::uint64_t i) -> task<std::uint64_t> {
      const std::uint64_t value = mix(seed, i);
      if (value % 3 == 0) co_await yield();
      if (value % 3 == 1) co_await sleep_for(24h);
      co_return value;
    };
    constexpr std::uint64_t n = scaled<std::uint64_t>(20'000, 4'000);
    std::vector<join_handle<std::uint64_t>> handles;
    for (std::uint64_t i = 0; i < n; ++i) handles.push_back(rt.spawn(body(i)));
    // From two threads and in no order; those that sleep are all cancelled.
    auto cancel_half = [&](std::uint64_t which) {
      for (std::uint64_t i = which; i < n; i += 2) {
        if (mix(seed, i) % 3 == 1 || mix(seed, i) % 5 == 0) handles[i].cancel();
      }
    };
    std::thread other([&] { cancel_half(1); });
    cancel_half(0);
    other.join();
    for (std::uint64_t i = 0; i < n; ++i) {
      try {
        ASSERT_EQ(handles[i].get(), mix(seed, i));
        ASSERT_NE(mix(seed, i) % 3, 1u) << "a sleeper came back without its cancel";
      } catch (const run_cancelled&) {
      }
    }
  });
}

task<std::uint64_t> tree(std::uint64_t seed, std::uint64_t node, int depth) {
  if (depth == 0) co_return 1;
  const std::uint64_t value = mix(seed, node);
  if (value % 8 == 0) co_await yield();
  auto left = co_await fork(tree(seed, node * 2, depth - 1));
  if (value % 8 == 1) co_await yield();
  auto right = co_await fork(tree(seed, node * 2 + 1, depth - 1));
  if (value % 16 == 2) co_await yield();
  std::uint64_t sum = 0;
  if (value % 2 == 0) {
    const std::uint64_t r = co_await right;
    const std::uint64_t l = co_await left;
    sum = l + r;
  } else {  // out of order
    const std::uint64_t l = co_await left;
    const std::uint64_t r = co_await right;
    sum = l + r;
  }
  co_return sum;
}

TEST_P(runtime_stress, forked_trees_count_their_leaves) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    constexpr int depth = scaled(16, 12);
    auto factory = [seed](std::uint64_t i) { return tree(seed + i, 1, depth); };
    auto b = rt.dispatch(8, factory);
    for (const std::uint64_t leaves : b.get()) ASSERT_EQ(leaves, std::uint64_t{1} << depth);
  });
}

/// Like tree(), but it also sleeps and throws; when_all() joins in any case.
task<std::uint64_t> rough_tree(std::uint64_t seed, std::uint64_t node, int depth, tracked life) {
  const std::uint64_t value = mix(seed, node);
  if (value % 64 == 3) co_await sleep_for(std::chrono::microseconds(value % 200));
  if (depth == 0) co_return 1;
  if (value % 128 == 5) throw boom("rough");
  auto both = when_all(rough_tree(seed, node * 2, depth - 1, life),
                       rough_tree(seed, node * 2 + 1, depth - 1, life));
  const auto leaves = co_await both;
  if (value % 16 == 2) co_await yield();
  co_return std::get<0>(leaves) + std::get<1>(leaves);
}

TEST_P(runtime_stress, forked_trees_that_fail_or_are_cancelled_end_whole) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    std::vector<join_handle<std::uint64_t>> handles;
    for (std::uint64_t i = 0; i < 32; ++i) {
      handles.push_back(rt.spawn(rough_tree(seed + i, 1, scaled(9, 7), tracked())));
    }
    for (std::uint64_t i = 0; i < handles.size(); i += 2) {
      std::this_thread::sleep_for(std::chrono::microseconds(mix(seed, i) % 100));
      handles[i].cancel();
    }
    for (auto& handle : handles) {
      try {
        handle.get();
      } catch (const run_cancelled&) {
      } catch (const boom&) {
      }
    }
  });
}

TEST_P(runtime_stress, runtimes_destroyed_in_full_flight_leave_nothing) {
  stress([&](std::uint64_t seed) {
    for (std::uint64_t round = 0; round < 20; ++round) {
      std::optional<batch<std::uint64_t>> b;
      std::atomic<std::uint64_t> ran{0};
      const std::uint64_t wait_for = mix(seed, round) % 5000;
      {
        runtime rt(workers());
        auto body = [&, seed](std::uint64_t i) -> task<std::uint64_t> {
          ran.fetch_add(1);
          const std::uint64_t value = mix(seed, i);
          if (value % 8 == 0) co_await yield();
          if (value % 64 == 1) co_await sleep_for(24h);
          if (value % 64 == 2) {
            auto handle = spawn(leaf(value));
            const std::uint64_t result = co_await handle;
            co_return result;
          }
          co_return value;
        };
        b.emplace(rt.dispatch(50'000, body));
        while (ran.load() < wait_for) std::this_thread::yield();
      }
      ASSERT_EQ(live_frames(), 0u);
      ASSERT_TRUE(b->done());
      const batch_counts c = b->counts();
      ASSERT_EQ(c.completed + c.failed + c.cancelled, c.total);
    }
  });
}

TEST_P(runtime_stress, submitters_race_with_stop) {
  stress([&](std::uint64_t seed) {
    for (std::uint64_t round = 0; round < 20; ++round) {
      std::atomic<std::uint64_t> accepted{0};
      std::atomic<std::uint64_t> ended{0};
      std::atomic<std::uint64_t> dispatched{0};
      {
        runtime rt(workers());
        auto body = [&](tracked /*life*/) -> task<> { co_await yield(); };
        auto item = [](std::uint64_t i) -> task<std::uint64_t> { co_return i; };
        std::vector<std::thread> submitters;
        for (std::uint64_t t = 0; t < 4; ++t) {
          submitters.emplace_back([&, t] {
            try {
              for (;;) {
                if (mix(seed, t) % 2 == 0) {
                  auto handle = rt.spawn(body(tracked()));
                  accepted.fetch_add(1);
                  handle.wait();
                  if (handle.done()) ended.fetch_add(1);
                } else {
                  auto b = rt.dispatch(16, item);
                  accepted.fetch_add(1);
                  b.wait();
                  const batch_counts c = b.counts();
                  ASSERT_EQ(c.completed + c.failed + c.cancelled, 16u);
                  ended.fetch_add(1);
                }
                dispatched.fetch_add(1);
              }
            } catch (const runtime_stopped&) {
            }
          });
        }
        const std::uint64_t wait_for = mix(seed, round) % 200;
        while (dispatched.load() < wait_for) std::this_thread::yield();
        rt.stop();
        for (std::thread& t : submitters) t.join();
      }
      ASSERT_EQ(accepted.load(), ended.load());
      ASSERT_EQ(live_frames(), 0u);
      ASSERT_EQ(tracked::alive(), 0);
    }
  });
}

TEST_P(runtime_stress, short_batches_between_idle_moments_never_lose_a_wake) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    for (std::uint64_t k = 0; k < 2000; ++k) {
      const std::uint64_t n = 1 + mix(seed, k) % 4;
      auto b = rt.dispatch(n, [](std::uint64_t i) -> task<std::uint64_t> {
        if (i == 1) co_await yield();
        co_return i;
      });
      b.wait();  // the workers go to sleep, or are about to
    }
  });
}

TEST_P(runtime_stress, waits_between_tasks_of_all_workers_end) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    constexpr std::uint64_t n = scaled<std::uint64_t>(20'000, 4'000);
    std::vector<std::unique_ptr<gate>> gates;
    for (std::uint64_t i = 0; i < n; ++i) gates.push_back(std::make_unique<gate>());
    // Item i waits for the gate that some other item opens: a random permutation, cycles excluded
    // by opening before waiting.
    auto body = [&, seed](std::uint64_t i) -> task<std::uint64_t> {
      if (mix(seed, i) % 2 == 0) co_await yield();
      gates[(i * 7919 + seed) % n]->open();
      co_await gates[i]->wait();
      co_return i;
    };
    auto b = rt.dispatch(n, body);
    std::uint64_t sum = 0;
    for (const std::uint64_t value : b.get()) sum += value;
    ASSERT_EQ(sum, n * (n - 1) / 2);
  });
}

INSTANTIATE_TEST_SUITE_P(workers, runtime_stress, testing::Values(1, 2, 4, 16, 64),
                         testing::PrintToStringParamName());

// Two tasks that wait for each other and block their threads: each must get a worker, although the
// second comes while the first worker, just started, is still looking for work.
TEST(wake_stress, two_tasks_that_meet_get_two_workers) {
  stress([](std::uint64_t seed) {
    for (std::uint64_t round = 0; round < 100; ++round) {
      runtime rt(std::size_t{2});
      std::barrier meeting(2);
      auto meet = [&]() -> task<> {
        meeting.arrive_and_wait();
        co_return;
      };
      rt.spawn(give(1)).wait();
      for (std::uint64_t spins = mix(seed, round) % 4096; spins != 0; --spins) {
        detail::pause_processor();
      }
      auto one = rt.spawn(meet());
      auto other = rt.spawn(meet());
      one.wait();
      other.wait();
    }
  });
}

}  // namespace
}  // namespace harrier::test
