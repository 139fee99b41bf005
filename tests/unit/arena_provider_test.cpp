// SPDX-License-Identifier: Apache-2.0
// Slots on threads of oneTBB: who is inside, who comes when, and what is left behind. That everything
// else works as on threads of our own is shown by the other suites, which run both ways.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <latch>
#include <map>
#include <set>

namespace harrier::test {
namespace {

runtime_options on_arena(std::size_t workers) {
  runtime_options options;
  options.workers = workers;
  options.provider = thread_provider::task_arena;
  return options;
}

TEST(arena_provider, starts_nothing_before_it_is_used) {
  runtime rt(on_arena(2));
  const runtime_metrics m = rt.metrics();
  EXPECT_EQ(m.threads_started, 0u);
  EXPECT_EQ(m.loops_created, 0u);
  EXPECT_EQ(m.stand_ins, 0u);
}

TEST(arena_provider, never_has_two_threads_in_a_slot) {
  runtime rt(on_arena(3));
  std::array<std::atomic<int>, 3> inside{};
  std::atomic<bool> overlapped{false};
  auto body = [&](std::uint64_t) -> task<> {
    for (int k = 0; k < 3; ++k) {
      auto& mine = inside.at(this_worker::id().value());
      if (mine.fetch_add(1) != 0) overlapped = true;
      mine.fetch_sub(1);
      co_await yield();
    }
  };
  for (int round = 0; round < 200; ++round) rt.dispatch(50, body).get();
  EXPECT_FALSE(overlapped);
}

TEST(arena_provider, a_slot_keeps_its_loop_whatever_thread_comes) {
  runtime rt(on_arena(2));
  std::mutex mutex;
  std::map<std::size_t, std::set<const event_loop*>> loops;
  auto visit = [&]() -> task<> {
    const std::lock_guard lock(mutex);
    loops[this_worker::id().value()].insert(&this_loop());
    co_return;
  };
  for (int round = 0; round < 500; ++round) rt.run(visit());
  for (const auto& [id, seen] : loops) EXPECT_EQ(seen.size(), 1u) << "slot " << id;
  EXPECT_LE(rt.metrics().loops_created, 2u);
}

TEST(arena_provider, hooks_come_in_pairs_on_one_thread_and_never_overlap_in_a_slot) {
  class visitor {
   public:
    int inside = 0;
    std::uint64_t starts = 0;
    std::uint64_t stops = 0;
    std::thread::id thread;
  };
  std::mutex mutex;
  std::array<visitor, 2> slots;
  bool right = true;
  runtime_options options = on_arena(2);
  options.on_thread_start = [&](std::size_t id) {
    const std::lock_guard lock(mutex);
    visitor& at = slots.at(id);
    right = right && at.inside++ == 0;
    ++at.starts;
    at.thread = std::this_thread::get_id();
  };
  options.on_thread_stop = [&](std::size_t id) {
    const std::lock_guard lock(mutex);
    visitor& at = slots.at(id);
    right = right && --at.inside == 0 && at.thread == std::this_thread::get_id();
    ++at.stops;
  };
  {
    runtime rt(options);
    for (int round = 0; round < 300; ++round) rt.run(give(round));
  }
  EXPECT_TRUE(right);
  EXPECT_GE(slots[0].starts + slots[1].starts, 1u);
  for (const visitor& each : slots) EXPECT_EQ(each.starts, each.stops);
}

TEST(arena_provider, a_timer_brings_a_thread_back) {
  virtual_clock time;
  runtime_options options = on_arena(2);
  options.time = &time;
  runtime rt(options);
  EXPECT_EQ(rt.run(sleep_then(24h, 7)), 7);
  EXPECT_EQ(time.now(), time_point(24h));
}

TEST(arena_provider, timers_of_many_slots_come_in_their_order) {
  virtual_clock time;
  runtime_options options = on_arena(4);
  options.time = &time;
  runtime rt(options);
  std::mutex mutex;
  std::vector<std::uint64_t> order;
  auto body = [&](std::uint64_t i) -> task<> {
    co_await sleep_for(std::chrono::hours(100 - i));
    const std::lock_guard lock(mutex);
    order.push_back(100 - i);
  };
  rt.dispatch(100, body).get();
  EXPECT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(time.now(), time_point(100h));
}

TEST(arena_provider, a_cancelled_timer_moves_no_time) {
  virtual_clock time;
  runtime_options options = on_arena(1);
  options.time = &time;
  runtime rt(options);
  tally started;
  auto sleeper = [&]() -> task<> {
    started.add();
    co_await sleep_for(24h);
  };
  auto canceller = [&]() -> task<> {
    auto handle = spawn(sleeper());
    co_await sleep_for(1h);
    handle.cancel();
    try {
      co_await handle;
    } catch (const cancelled&) {  // as asked
    }
  };
  rt.run(canceller());
  EXPECT_EQ(time.now(), time_point(1h));
  EXPECT_EQ(rt.run(sleep_then(2h, 1)), 1);
  EXPECT_EQ(time.now(), time_point(3h));
}

TEST(arena_provider, a_post_from_outside_brings_a_thread) {
  runtime rt(on_arena(1));
  gate open_later;
  auto waits = [&]() -> task<int> {
    co_await open_later.wait();
    co_return 5;
  };
  auto handle = rt.spawn(waits());
  while (open_later.arrivals() == 0) std::this_thread::yield();
  open_later.open();
  EXPECT_EQ(handle.get(), 5);
}

// Each of them blocks its thread until all are there: oneTBB alone may have one thread.
TEST(arena_provider, stand_ins_come_where_onetbb_has_no_thread) {
  runtime rt(on_arena(4));
  std::latch all(4);
  auto blocks = [&](std::uint64_t) -> task<> {
    all.arrive_and_wait();
    co_return;
  };
  rt.dispatch(4, blocks).get();
  EXPECT_LE(rt.metrics().loops_created, 4u);
}

TEST(arena_provider, works_while_every_thread_of_onetbb_waits_for_it) {
  runtime rt(on_arena(2));
  std::atomic<long> sum{0};
#if defined(HARRIER_THREAD_SANITIZED)
  tbb::task_arena arena(1, 1);
#else
  tbb::task_arena arena(16, 1);
#endif
  arena.execute([&] {
    tbb::parallel_for(
        0, 64, [&](int i) { sum += rt.run(sleep_then(1us, i)); }, tbb::simple_partitioner());
  });
  EXPECT_EQ(sum.load(), 2016);
}

TEST(arena_provider, stop_waits_until_every_slot_is_vacant) {
  std::atomic<int> inside{0};
  runtime_options options = on_arena(3);
  options.on_thread_start = [&](std::size_t) { ++inside; };
  options.on_thread_stop = [&](std::size_t) { --inside; };
  for (int round = 0; round < 50; ++round) {
    runtime rt(options);
    auto body = [](std::uint64_t) -> task<> { co_await yield(); };
    auto b = rt.dispatch(1000, body);
    rt.stop();
    EXPECT_EQ(inside.load(), 0);
    b.wait();
    EXPECT_THROW((void)rt.spawn(give(1)), runtime_stopped);
  }
}

TEST(arena_provider, stop_cancels_sleepers_of_vacant_slots) {
  runtime rt(on_arena(2));
  tally started;
  auto body = [&](std::uint64_t) -> task<> {
    started.add();
    co_await sleep_for(24h);
  };
  auto b = rt.dispatch(20, body);
  started.wait_for(20);
  rt.stop();
  b.wait();
  EXPECT_EQ(b.counts().cancelled, 20u);
}

// Long work in every slot: what is offloaded, which waits in the same arena, has its turn.
TEST(arena_provider, work_that_never_pauses_lets_others_of_the_arena_run) {
  runtime rt(on_arena(1));
  std::atomic<bool> offloaded{false};
  auto offloads = [&]() -> task<> {
    auto op = offload([&] { offloaded = true; });
    co_await op;
  };
  auto spins = [&]() -> task<> {
    auto handle = spawn(offloads());
    while (!offloaded) co_await yield();
    co_await handle;
  };
  rt.run(spins());
  EXPECT_TRUE(offloaded);
}

TEST(arena_provider, no_call_is_lost_when_threads_come_and_go) {
  runtime rt(on_arena(2));
  for (int round = 0; round < scaled(3000, 300); ++round) {
    auto handle = rt.spawn(give(round));
    ASSERT_EQ(handle.get(), round);
  }
}

}  // namespace
}  // namespace harrier::test
