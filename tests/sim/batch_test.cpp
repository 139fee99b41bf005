// SPDX-License-Identifier: Apache-2.0
// Batches under many seeds: dispatch, stealing, windows, errors, cancels, and the end of the runtime
// while they run. Each case is small, so that many orders are tried.
#include <harrier/runtime.hpp>

#include "sim/seeds.hpp"
#include "unit/support.hpp"

#include <memory>

namespace harrier::test {
namespace {

constexpr int quick = scaled(1200, 100);

task<std::uint64_t> some_yields(std::uint64_t item) {
  for (std::uint64_t left = item % 3; left != 0; --left) {
    co_await yield();
  }
  co_return item* item;
}

TEST(sim_batch, every_item_runs_once_and_results_keep_their_order) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    auto squares = rt.dispatch(20, some_yields);
    const auto results = squares.get();
    for (std::uint64_t item = 0; item < 20; ++item) {
      EXPECT_EQ(results[item], item * item);
    }
    const batch_counts counts = squares.counts();
    EXPECT_EQ(counts.started, 20u);
    EXPECT_EQ(counts.completed, 20u);
  });
}

TEST(sim_batch, a_window_is_a_wall) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    std::atomic<int> under_way{0};
    std::atomic<int> most{0};
    auto body = [&](std::uint64_t item) -> task<> {
      const int now = ++under_way;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      for (std::uint64_t left = item % 2; left != 0; --left) {
        co_await yield();
      }
      --under_way;
    };
    rt.dispatch(12, body, dispatch_options().with_window(2)).get();
    EXPECT_LE(most, 2);
  });
}

TEST(sim_batch, a_cancel_drops_or_cancels_each_item_once) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    std::atomic<std::uint64_t> begun{0};
    std::atomic<std::uint64_t> thrown{0};
    std::atomic<std::uint64_t> passed{0};
    auto body = [&](std::uint64_t) -> task<> {
      ++begun;
      try {
        co_await yield();
        co_await sleep_for(1ms);
        ++passed;
      } catch (const cancelled&) {
        ++thrown;
        throw;
      }
    };
    auto b = rt.dispatch(12, body);
    b.cancel();
    b.wait();
    const batch_counts counts = b.counts();
    EXPECT_EQ(begun, thrown + passed);
    EXPECT_EQ(counts.started, begun);
    EXPECT_EQ(counts.completed, passed);
    EXPECT_EQ(counts.completed + counts.failed + counts.cancelled, 12u);
  });
}

TEST(sim_batch, the_first_error_comes_out_and_all_are_kept) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    auto body = [](std::uint64_t item) -> task<int> {
      if (item % 4 == 1) {
        co_await yield();
        throw boom(std::to_string(item));
      }
      co_return 1;
    };
    auto b = rt.dispatch(12, body);
    EXPECT_THROW(b.get(), boom);
    EXPECT_EQ(b.errors().size(), 3u);
    EXPECT_TRUE(b.has_result(0));
    EXPECT_FALSE(b.has_result(5));
  });
}

TEST(sim_batch, awaited_from_a_task_and_nested) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    auto item = [&](std::uint64_t) -> task<std::uint64_t> {
      auto inner = rt.dispatch(3, some_yields);
      const auto results = co_await inner;
      co_return results[0] + results[1] + results[2];
    };
    auto outer = [&]() -> task<std::uint64_t> {
      auto b = rt.dispatch(4, item);
      const auto results = co_await b;
      std::uint64_t sum = 0;
      for (const std::uint64_t each : results) {
        sum += each;
      }
      co_return sum;
    };
    EXPECT_EQ(rt.run(outer()), 20u);
  });
}

// Found by tests/fuzz/program: the thread that waited for the child had items of its batch to tell of.
TEST(sim_batch, ends_while_a_thread_waits_for_a_dropped_fork) {
  for_each_seed(quick, "2 workers", [] {
    runtime_options options;
    options.workers = 2;
    options.provider = thread_provider::task_arena;
    runtime rt(std::move(options));
    auto many_yields = [](std::uint64_t item) -> task<> {
      for (std::uint64_t left = 4 + item; left != 0; --left) {
        co_await yield();
      }
    };
    auto child = [&]() -> task<> {
      auto b = rt.dispatch(12, many_yields);
      co_await b;
    };
    auto parent = [&]() -> task<> {
      auto dropped = co_await fork(child());
      co_await sleep_for(20us);
      throw boom();
    };
    EXPECT_THROW(rt.run(parent()), boom);
    EXPECT_TRUE(rt.drain(1h));
  });
}

TEST(sim_batch, two_threads_dispatch_side_by_side) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    std::atomic<std::uint64_t> done{0};
    auto body = [&](std::uint64_t) -> task<> {
      co_await yield();
      ++done;
    };
    std::thread other([&] { rt.dispatch(6, body).get(); });
    rt.dispatch(6, body).get();
    other.join();
    EXPECT_EQ(done, 12u);
  });
}

TEST(sim_batch, the_end_of_the_runtime_ends_what_is_left) {
  for_each_seed(quick, "2 workers", [] {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    {
      runtime rt(std::size_t{2});
      auto body = [&](std::uint64_t) -> task<> {
        ++begun;
        const std::unique_ptr<int, void (*)(int*)> at_end(new int,
                                                          [](int* number) { delete number; });
        try {
          co_await sleep_for(1h);
        } catch (const cancelled&) {
          ++ended;
          throw;
        }
      };
      rt.dispatch(8, body).detach();
    }
    EXPECT_EQ(begun, ended);
  });
}

TEST(sim_batch, stop_races_with_dispatch) {
  for_each_seed(quick, "2 workers", [] {
    runtime rt(std::size_t{2});
    std::atomic<std::uint64_t> ran{0};
    std::uint64_t taken = 0;
    std::uint64_t dropped = 0;
    std::thread other([&] {
      try {
        for (int round = 0; round < 4; ++round) {
          auto b = rt.dispatch(2, [&](std::uint64_t) -> task<> {
            ++ran;
            co_return;
          });
          b.wait();
          taken += 2;
          dropped += b.counts().cancelled;
        }
      } catch (const runtime_stopped&) {  // then nothing of that batch has started
      }
    });
    rt.stop();
    other.join();
    EXPECT_EQ(ran + dropped, taken);
  });
}

TEST(sim_batch, strict_items_stay_on_their_workers) {
  for_each_seed(quick, "3 workers", [] {
    runtime rt(std::size_t{3});
    auto body = [](std::uint64_t item) -> task<> {
      EXPECT_EQ(this_worker::id(), item % 3);
      co_await yield();
      EXPECT_EQ(this_worker::id(), item % 3);
    };
    auto own = [](std::uint64_t item) { return item; };
    rt.dispatch(9, body, dispatch_options().by_key(own).strictly()).get();
  });
}

// More than the automatic windows hold: whoever looks last must find that nothing ends, and each worker hear of
// it. Some workers sleep with a timer, and memory is short in every other case.
TEST(sim_batch, an_automatic_window_lets_items_wait_for_each_other) {
  for_each_seed(scaled(60, 10), "1 to 3 workers", [round = 0]() mutable {
    ++round;
    runtime_options options;
    options.workers = static_cast<std::size_t>(1 + round % 3);
    const double memory_used = round % 2 == 0 ? 0.95 : 0.5;
    options.memory_used = [memory_used] { return memory_used; };
    runtime rt(options);
    const auto n = 1100 * static_cast<std::uint64_t>(options.workers);
    gate all_begun;
    std::atomic<std::uint64_t> begun{0};
    auto body = [&](std::uint64_t item) -> task<> {
      if (item % 500 == 7) {
        co_await sleep_for(std::chrono::milliseconds(item));
      }
      if (++begun == n) {
        all_begun.open();
      }
      co_await all_begun.wait();
    };
    auto b = rt.for_each(n, body);
    b.get();
    EXPECT_EQ(b.counts().completed, n);
    EXPECT_GE(b.window(), 16 * options.workers);
  });
}

// It shrinks below what is under way while workers start, steal and end items: none is lost, all end.
TEST(sim_batch, an_automatic_window_changes_under_its_workers) {
  for_each_seed(scaled(60, 10), "2 or 3 workers", [round = 0]() mutable {
    ++round;
    runtime_options options;
    options.workers = static_cast<std::size_t>(2 + round % 2);
    int asked = 0;
    options.memory_used = [&asked] { return ++asked % 3 == 0 ? 0.5 : 0.95; };
    runtime rt(options);
    std::atomic<std::uint64_t> ended{0};
    auto body = [&](std::uint64_t item) -> task<> {
      co_await sleep_for(std::chrono::milliseconds(400 + item % 200));
      ++ended;
    };
    auto b = rt.for_each(4000, body);
    b.get();
    EXPECT_EQ(ended, 4000u);
    EXPECT_GE(b.window(), 16 * options.workers);
    EXPECT_GT(asked, 2);
  });
}

}  // namespace
}  // namespace harrier::test
