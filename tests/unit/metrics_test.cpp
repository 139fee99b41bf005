// SPDX-License-Identifier: Apache-2.0
// runtime::metrics(): the equations that hold at rest.
#include <harrier/runtime.hpp>

#include "support.hpp"

namespace harrier::test {
namespace {

task<long> tree(int depth) {
  if (depth == 0) co_return 1;
  auto left = co_await fork(tree(depth - 1));
  auto right = co_await fork(tree(depth - 1));
  const long r = co_await right;
  const long l = co_await left;
  co_return l + r;
}

TEST(metrics, steals_are_the_sum_of_their_kinds) {
  runtime rt(std::size_t{4});
  auto body = [](std::uint64_t i) -> task<> {
    if (i % 3 == 0) co_await yield();
  };
  rt.dispatch(50'000, body).get();
  EXPECT_EQ(rt.run(tree(12)), 4096);
  rt.drain(10s);
  const runtime_metrics m = rt.metrics();
  EXPECT_EQ(m.steals, m.steals_ranges + m.steals_children + m.steals_resumed);
}

TEST(metrics, tasks_spawned_are_finished_at_rest) {
  runtime rt(std::size_t{2});
  for (int i = 0; i < 1000; ++i) rt.spawn(give(i)).detach();
  EXPECT_TRUE(rt.drain(30s));
  const runtime_metrics m = rt.metrics();
  EXPECT_EQ(m.tasks_spawned, 1000u);
  EXPECT_EQ(m.tasks_finished, 1000u);
}

TEST(metrics, frames_are_none_at_rest_and_the_peak_is_bounded_by_the_window) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{2}}) {
    runtime rt(workers);
    auto body = [](std::uint64_t) -> task<> { co_await yield(); };
    rt.dispatch(10'000, body, dispatch_options().with_window(32)).get();
    rt.drain(10s);
    const runtime_metrics m = rt.metrics();
    EXPECT_EQ(m.frames_live, 0u);
    EXPECT_GE(m.frames_peak, 1u);
    // With two, a worker whose frames end on the other one makes new ones, and the sum of their peaks is
    // beyond what was alive at any moment.
    if (workers == 1) {
      EXPECT_LE(m.frames_peak, 32 + 8u);
    }
  }
}

TEST(metrics, a_flat_batch_needs_few_frames) {
  runtime rt(std::size_t{2});
  rt.dispatch(scaled(1'000'000, 100'000), [](std::uint64_t i) -> task<std::uint64_t> {
      co_return i;
    }).get();
  EXPECT_LE(rt.metrics().frames_peak, 64u);
}

TEST(metrics, started_threads_and_loops_are_bounded_by_the_workers) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{3}, std::size_t{8}}) {
    runtime rt(workers);
    auto body = [](std::uint64_t) -> task<> { co_await yield(); };
    for (int k = 0; k < 5; ++k) rt.dispatch(10'000, body).get();
    const runtime_metrics m = rt.metrics();
    EXPECT_EQ(m.workers, workers);
    EXPECT_LE(m.threads_started, workers);
    EXPECT_LE(m.loops_created, workers);
    EXPECT_EQ(m.pollers_created, 0u);
  }
}

TEST(metrics, wakes_are_never_more_than_parks) {
  runtime rt(std::size_t{2});
  for (int i = 0; i < 200; ++i) rt.run(give(i));
  rt.drain(10s);
  const runtime_metrics m = rt.metrics();
  EXPECT_LE(m.wakes, m.parks + m.workers);
}

}  // namespace
}  // namespace harrier::test
