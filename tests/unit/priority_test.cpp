// SPDX-License-Identifier: Apache-2.0
// The order of service among high, normal and low; nobody starves. One worker that is held up while
// everything is queued makes the order a matter of rules alone.
#include <harrier/runtime.hpp>

#include "unit/held_worker.hpp"

#include <algorithm>
#include <string>

namespace harrier::test {
namespace {

task<> note(std::string& order, char mark) {
  order += mark;
  co_return;
}

task<> note_after_a_turn(std::string& order, char mark) {
  co_await yield();
  order += mark;
}

TEST(priority, spawned_inside_runs_high_before_normal_before_low) {
  runtime rt(std::size_t{1});
  std::string order;
  auto main = [&]() -> task<> {
    std::vector<join_handle<void>> handles;
    for (int i = 0; i < 5; ++i) {
      handles.push_back(rt.spawn(note(order, 'l'), priority::low));
      handles.push_back(rt.spawn(note(order, 'n')));
      handles.push_back(rt.spawn(note(order, 'h'), "urgent", priority::high));
    }
    for (auto& handle : handles) co_await handle;
  };
  rt.run(main());
  EXPECT_EQ(order, "hhhhhnnnnnlllll");
}

TEST(priority, is_kept_over_a_suspension) {
  runtime rt(std::size_t{1});
  std::string order;
  auto main = [&]() -> task<> {
    std::vector<join_handle<void>> handles;
    for (int i = 0; i < 3; ++i) {
      handles.push_back(rt.spawn(note_after_a_turn(order, 'l'), priority::low));
      handles.push_back(rt.spawn(note_after_a_turn(order, 'n')));
      handles.push_back(rt.spawn(note_after_a_turn(order, 'h'), priority::high));
    }
    for (auto& handle : handles) co_await handle;
  };
  rt.run(main());
  EXPECT_EQ(order, "hhhnnnlll");
}

TEST(priority, from_outside_is_served_in_the_order_of_class) {
  runtime rt(std::size_t{1});
  held_worker held(rt);
  std::string order;
  for (int i = 0; i < 10; ++i) {
    rt.spawn(note(order, 'l'), priority::low).detach();
    rt.spawn(note(order, 'n'), priority::normal).detach();
    rt.spawn(note(order, 'h'), priority::high).detach();
  }
  held.release();
  ASSERT_TRUE(rt.drain(10s));
  EXPECT_EQ(order, std::string(10, 'h') + std::string(10, 'n') + std::string(10, 'l'));
}

TEST(priority, a_high_task_overtakes_a_long_queue_of_normal_ones) {
  runtime rt(std::size_t{1});
  held_worker held(rt);
  std::size_t ran = 0;
  std::size_t place = 0;
  auto normal = [&]() -> task<> {
    ++ran;
    co_return;
  };
  auto urgent = [&]() -> task<> {
    place = ran;
    co_return;
  };
  for (int i = 0; i < 10'000; ++i) rt.spawn(normal()).detach();
  rt.spawn(urgent(), priority::high).detach();
  held.release();
  ASSERT_TRUE(rt.drain(10s));
  EXPECT_EQ(ran, 10'000u);
  EXPECT_LE(place, 61u);
}

TEST(priority, try_spawn_and_spawn_on_take_one_too) {
  runtime rt(std::size_t{1});
  held_worker held(rt);
  std::string order;
  auto low = note(order, 'l');
  auto handle = rt.try_spawn(low, priority::low);
  ASSERT_TRUE(handle.has_value());
  auto normal = rt.spawn_on(0, note(order, 'n'));
  auto high = rt.spawn_on(0, note(order, 'h'), "urgent", priority::high);
  held.release();
  ASSERT_TRUE(rt.drain(10s));
  EXPECT_EQ(order, "hnl");
}

// Tasks of `urgency` that are always ready: each one gives up its turn until it is told to end.
task<> spin(const bool& stop, std::uint64_t& turns) {
  while (!stop) {
    ++turns;
    co_await yield();
  }
}

TEST(priority, a_low_task_runs_although_higher_ones_are_always_ready) {
  for (const priority above : {priority::high, priority::normal}) {
    runtime rt(std::size_t{1});
    bool stop = false;
    std::uint64_t turns = 0;
    std::uint64_t waited = 0;
    auto low = [&]() -> task<> {
      for (int turn = 0; turn < 10; ++turn) co_await yield();
      waited = turns;
      stop = true;
    };
    auto main = [&]() -> task<> {
      auto a = rt.spawn(spin(stop, turns), above);
      auto b = rt.spawn(spin(stop, turns), above);
      auto c = rt.spawn(low(), priority::low);
      co_await c;
      co_await a;
      co_await b;
    };
    rt.spawn(main(), above).get();
    EXPECT_GE(waited, 11 * 60u) << "preference is strict but for one step in 122";
    EXPECT_LE(waited, 12 * 122u);
  }
}

TEST(priority, a_normal_task_runs_although_high_ones_are_always_ready) {
  runtime rt(std::size_t{1});
  bool stop = false;
  std::uint64_t turns = 0;
  auto normal = [&]() -> task<> {
    for (int turn = 0; turn < 10; ++turn) co_await yield();
    stop = true;
  };
  auto main = [&]() -> task<> {
    auto a = rt.spawn(spin(stop, turns), priority::high);
    auto b = rt.spawn(normal());
    co_await b;
    co_await a;
  };
  rt.spawn(main(), priority::high).get();
  EXPECT_GE(turns, 10 * 60u);
  EXPECT_LE(turns, 12 * 122u);
}

// A low task waits outside behind more high ones than a worker takes at once.
TEST(priority, a_low_task_from_outside_comes_in_beside_a_long_queue_of_high_ones) {
  runtime rt(std::size_t{1});
  held_worker held(rt);
  std::size_t ran = 0;
  std::size_t place = 0;
  auto urgent = [&]() -> task<> {
    ++ran;
    co_return;
  };
  auto low = [&]() -> task<> {
    place = ran;
    co_return;
  };
  for (int i = 0; i < 10'000; ++i) rt.spawn(urgent(), priority::high).detach();
  rt.spawn(low(), priority::low).detach();
  held.release();
  ASSERT_TRUE(rt.drain(10s));
  EXPECT_EQ(ran, 10'000u);
  EXPECT_LE(place, 3 * 122u);
}

TEST(priority, bound_and_free_high_tasks_take_turns) {
  runtime rt(std::size_t{1});
  std::string order;
  auto main = [&]() -> task<> {
    std::vector<join_handle<void>> handles;
    for (int i = 0; i < 4; ++i) {
      handles.push_back(rt.spawn(note(order, 'f'), priority::high));
      handles.push_back(rt.spawn_on(0, note(order, 'b'), {}, priority::high));
    }
    for (auto& handle : handles) co_await handle;
  };
  rt.run(main());
  EXPECT_TRUE(order == "bfbfbfbf" || order == "fbfbfbfb") << order;
}

TEST(priority, of_a_batch_decides_when_its_items_start) {
  runtime rt(std::size_t{1});
  held_worker held(rt);
  std::string order;
  auto mark = [&](char of) {
    return [&order, of](std::uint64_t) -> task<> {
      order += of;
      co_return;
    };
  };
  auto low = rt.dispatch(100, mark('l'), dispatch_options().with_priority(priority::low));
  auto normal = rt.dispatch(100, mark('n'));
  auto high = rt.dispatch(100, mark('h'), dispatch_options().with_priority(priority::high));
  held.release();
  low.wait();
  normal.wait();
  high.wait();
  // On a slow machine an item is a step of its own, and one step in 61 is for a class that was passed
  // over; its chunks are the first ones, of 1, 2 and 4 items.
  ASSERT_EQ(order.size(), 300u);
  const auto high_end = order.begin() + 100;
  const auto normal_end = order.begin() + 200;
  EXPECT_GE(std::count(order.begin(), high_end, 'h'), 97) << order;
  EXPECT_LE(std::count(order.begin(), normal_end, 'l'), 7) << order;
}

TEST(priority, items_keep_it_over_a_suspension) {
  runtime rt(std::size_t{1});
  bool stop = false;
  std::uint64_t turns = 0;
  auto item = [&](std::uint64_t) -> task<> {
    for (int turn = 0; turn < 200; ++turn) co_await yield();
  };
  auto main = [&]() -> task<std::uint64_t> {
    auto normal = rt.spawn(spin(stop, turns));
    co_await yield();
    auto b = rt.dispatch(4, item, dispatch_options().with_priority(priority::high));
    const std::uint64_t before = turns;
    co_await b;
    stop = true;
    co_await normal;
    co_return turns - before;
  };
  // 800 turns of the items, and one in 122 for the normal task, beside the look that finds the batch
  EXPECT_LE(rt.run(main()), 130u);
}

TEST(priority, a_thief_takes_high_tasks_first) {
  runtime rt(std::size_t{2});
  rt.spawn_on(1, give(1)).wait();
  std::latch release(1);
  std::mutex mutex;
  std::string order;
  auto stolen = [&](char mark) -> task<> {
    const std::lock_guard lock(mutex);
    order += mark;
    if (order.size() == 20) release.count_down();
    co_return;
  };
  // Worker 0 fills its queues in one step and then blocks, so worker 1 has to steal all of it.
  tally filled;
  auto hold_thief = [&]() -> task<> {
    filled.wait_for(1);
    co_return;
  };
  auto main = [&]() -> task<> {
    for (int i = 0; i < 10; ++i) rt.spawn(stolen('n')).detach();
    for (int i = 0; i < 10; ++i) rt.spawn(stolen('h'), priority::high).detach();
    filled.add();
    release.wait();
    co_return;
  };
  auto thief = rt.spawn_on(1, hold_thief());
  rt.spawn_on(0, main()).get();
  thief.get();
  ASSERT_TRUE(rt.drain(10s));
  EXPECT_EQ(order, std::string(10, 'h') + std::string(10, 'n'));
}

TEST(priority, a_cancel_of_a_low_task_is_not_held_up) {
  runtime rt(std::size_t{1});
  auto handle = rt.spawn(sleep_for_ever(), priority::low);
  handle.cancel();
  EXPECT_THROW(handle.get(), run_cancelled);
}

}  // namespace
}  // namespace harrier::test
