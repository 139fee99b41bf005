// SPDX-License-Identifier: Apache-2.0
// Tasks that move between workers, of all classes, among thieves and cancels. What must hold
// whatever the interleaving: a bound task runs nowhere else, each task ends exactly once, a cancel is
// delivered at most once, and stop() finds what is on its way.
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace harrier::test {
namespace {

constexpr std::uint64_t tasks = scaled<std::uint64_t>(20'000, 2'000);

priority class_of(std::uint64_t value) { return static_cast<priority>(value % 3); }

class placement_stress : public testing::TestWithParam<std::size_t> {
 protected:
  std::size_t workers() const { return GetParam(); }
};

task<std::uint64_t> leaf(std::uint64_t value) {
  if (value % 2 == 0) co_await yield();
  co_return value;
}

// Wanders about: moves, yields where it is bound, lets itself go, forks. Gives the number of steps
// that it did on a worker to which it was not bound.
task<std::uint64_t> wander(std::uint64_t seed, std::uint64_t i, std::size_t workers) {
  std::uint64_t strayed = 0;
  for (std::uint64_t hop = 0; hop < 6; ++hop) {
    const std::uint64_t value = mix(seed ^ hop, i);
    const std::size_t target = value % workers;
    co_await resume_on(target);
    strayed += this_worker::id() != target;
    for (std::uint64_t turn = 0; turn < value / 64 % 3; ++turn) {
      co_await yield();
      strayed += this_worker::id() != target;
    }
    if (value / 1024 % 4 == 0) {
      auto child = co_await fork(leaf(value));
      if (value / 4096 % 2 == 0) co_await yield();
      const std::uint64_t given = co_await child;
      strayed += given != value || this_worker::id() != target;
    }
    if (value / 8192 % 4 == 0) co_await resume_anywhere();
  }
  co_return strayed;
}

TEST_P(placement_stress, spawned_tasks_wander_and_never_stray) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    constexpr std::uint64_t threads = 3;
    std::vector<std::vector<join_handle<std::uint64_t>>> handles(threads);
    std::vector<std::thread> spawners;
    for (std::uint64_t t = 0; t < threads; ++t) {
      spawners.emplace_back([&, t] {
        for (std::uint64_t i = t; i < tasks; i += threads) {
          const std::uint64_t value = mix(seed, i);
          handles[t].push_back(value % 2 == 0
                                   ? rt.spawn_on(value / 2 % workers(), wander(seed, i, workers()),
                                                 {}, class_of(value))
                                   : rt.spawn(wander(seed, i, workers()), class_of(value)));
        }
      });
    }
    for (std::thread& each : spawners) each.join();
    for (auto& of_one : handles) {
      for (auto& handle : of_one) ASSERT_EQ(handle.get(), 0u);
    }
    ASSERT_TRUE(rt.drain(60s));
    const runtime_metrics m = rt.metrics();
    EXPECT_GE(m.tasks_spawned, tasks);  // a stolen child that waits counts, too
    EXPECT_EQ(m.tasks_finished, m.tasks_spawned);
    EXPECT_EQ(m.frames_live, 0);
  });
}

TEST_P(placement_stress, items_of_all_classes_wander_and_never_stray) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    auto factory = [&](std::uint64_t i) { return wander(seed, i, workers()); };
    auto low = rt.dispatch(tasks / 3, factory, dispatch_options().with_priority(priority::low));
    auto normal = rt.dispatch(tasks / 3, factory);
    auto high = rt.dispatch(tasks / 3, factory, dispatch_options().with_priority(priority::high));
    for (auto* each : {&low, &normal, &high}) {
      for (const std::uint64_t strayed : each->get()) ASSERT_EQ(strayed, 0u);
    }
  });
}

TEST_P(placement_stress, cancels_on_the_way_are_delivered_once) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    std::atomic<std::uint64_t> ends{0};
    std::atomic<std::uint64_t> delivered{0};
    auto body = [&](std::uint64_t i) -> task<> {
      std::uint64_t cancels = 0;
      for (std::uint64_t hop = 0; hop < 8; ++hop) {
        try {
          co_await resume_on(mix(seed, i * 8 + hop) % workers());
        } catch (const cancelled&) {
          ++cancels;
        }
      }
      EXPECT_LE(cancels, 1u);
      delivered += cancels;
      ends += 1;
    };
    std::vector<join_handle<void>> handles;
    std::uint64_t unstarted = 0;
    std::vector<bool> asked(tasks);
    for (std::uint64_t i = 0; i < tasks; ++i) {
      handles.push_back(rt.spawn_on(mix(seed, i) % workers(), body(i)));
      if (mix(seed, i) / 64 % 2 == 0) {
        const std::uint64_t other = mix(seed, i) / 128 % (i + 1);
        if (!asked[other]) asked[other] = handles[other].cancel();
      }
    }
    for (auto& handle : handles) {
      try {
        handle.get();
      } catch (const run_cancelled&) {  // never started, or asked after its last suspension
        ++unstarted;
      }
    }
    ASSERT_TRUE(rt.drain(60s));
    const auto requests = static_cast<std::uint64_t>(std::count(asked.begin(), asked.end(), true));
    // Each request is seen by the body, or by whoever waits for the task; never by both.
    EXPECT_EQ(requests, delivered + unstarted);
    EXPECT_LE(ends, tasks);
  });
}

TEST_P(placement_stress, cancelled_batches_add_up_while_their_items_move) {
  stress([&](std::uint64_t seed) {
    runtime rt(workers());
    for (std::uint64_t round = 0; round < 10; ++round) {
      auto body = [&](std::uint64_t i) -> task<> {
        for (std::uint64_t hop = 0;; ++hop) {
          co_await resume_on(mix(seed, i + hop) % workers());
          co_await yield();  // where it is already it would not suspend, and see no cancel
        }
      };
      auto b = rt.dispatch(tasks / 10, body,
                           dispatch_options().with_priority(class_of(mix(seed, round))));
      // No more than one: items that are always ready keep new ones of their batch from starting.
      while (round % 2 == 0 && b.counts().started == 0) std::this_thread::yield();
      b.cancel();
      b.wait();
      ASSERT_EQ(b.counts().cancelled, tasks / 10);
    }
  });
}

TEST_P(placement_stress, stop_finds_every_task_on_its_way) {
  stress([&](std::uint64_t seed) {
    for (std::uint64_t round = 0; round < 20; ++round) {
      {
        runtime_options options;
        options.workers = workers();
        // A task that stop() has not cancelled yet may ask for a worker that gets no thread any more.
        options.exception_handler = [](const error_report& report) {
          EXPECT_TRUE(holds<runtime_stopped>(report.error)) << report.message;
        };
        runtime rt(options);
        auto body = [&](std::uint64_t i) -> task<> {
          const tracked value;
          for (std::uint64_t hop = 0;; ++hop) {
            co_await resume_on(mix(seed, i * round + hop) % workers());
            co_await yield();
          }
        };
        std::thread spawner([&] {
          try {
            for (std::uint64_t i = 0; i < 500; ++i) {
              rt.spawn_on(i % workers(), body(i), {}, class_of(i)).detach();
            }
          } catch (const runtime_stopped&) {
          }
        });
        if (round % 2 == 0) std::this_thread::yield();
        rt.stop();
        spawner.join();
      }
      ASSERT_EQ(tracked::alive(), 0);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(workers, placement_stress, testing::Values(1, 2, 4, 16),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace harrier::test
