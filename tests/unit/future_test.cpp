// SPDX-License-Identifier: Apache-2.0
// future and promise: what the ported tests of asyncio (asyncio/test_futures.cpp) do not say.
#include "support.hpp"

#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace harrier::test {
namespace {

TEST(future, many_tasks_may_wait_and_go_on_in_order) {
  static std::vector<int> order;
  order.clear();
  auto wait = [](future<std::string> result, int who) -> task<> {
    const std::string& text = co_await result;
    EXPECT_EQ(text, "done");
    order.push_back(who);
  };
  auto body = [wait]() -> task<> {
    promise<std::string> source;
    std::vector<join_handle<void>> all;
    for (int who = 0; who < 3; ++who) {
      all.push_back(spawn(wait(source.get_future(), who)));
    }
    co_await yield();
    source.set_value("done");
    EXPECT_TRUE(order.empty());  // nobody is resumed inside set_value
    for (auto& each : all) {
      co_await each;
    }
  };
  run(body());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(future, a_cancel_of_one_waiter_leaves_the_others) {
  auto wait = [](future<int> result) -> task<int> { co_return co_await result; };
  auto body = [wait]() -> task<> {
    promise<int> source;
    auto first = spawn(wait(source.get_future()));
    auto second = spawn(wait(source.get_future()));
    co_await yield();
    first.cancel();
    bool thrown = false;
    try {
      co_await first;
    } catch (const cancelled&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    source.set_value(7);
    EXPECT_EQ(co_await second, 7);
  };
  run(body());
}

TEST(future, a_dropped_promise_breaks) {
  auto body = []() -> task<> {
    auto source = std::make_unique<promise<int>>();
    auto result = source->get_future();
    source.reset();
    bool broken = false;
    try {
      co_await result;
    } catch (const broken_promise&) {
      broken = true;
    }
    EXPECT_TRUE(broken);
  };
  run(body());
}

// 2.1: awaiting the future of another loop is an error, not a race.
TEST(future, another_loop_is_refused) {
  auto make = []() -> task<promise<int>> { co_return promise<int>(); };
  auto use = [](future<int> result) -> task<> { co_await result; };
  auto set = [](promise<int>& source) -> task<> {
    source.set_value(1);
    co_return;
  };
  runner mine;
  auto source = mine.run(make());
  EXPECT_THROW(run(use(source.get_future())), foreign_loop);
  EXPECT_THROW(run(set(source)), foreign_loop);
  source.set_value(1);  // nobody runs the loop: this thread owns it
  mine.run(use(source.get_future()));
}

TEST(future, without_a_loop_there_is_none) { EXPECT_THROW(promise<int>(), no_running_loop); }

TEST(future, set_between_runs_wakes_who_waits) {
  auto wait = [](future<int> result) -> task<int> { co_return co_await std::move(result); };
  runner loop;
  promise<int> source(loop.loop());
  auto waiting = loop.loop().spawn(wait(source.get_future()));
  auto turn = []() -> task<> { co_await yield(); };
  loop.run(turn());
  source.set_value(3);
  auto join = [](join_handle<int>& handle) -> task<int> { co_return co_await handle; };
  EXPECT_EQ(loop.run(join(waiting)), 3);
}

TEST(future, void_and_move_only_results) {
  auto body = []() -> task<> {
    promise<void> nothing;
    auto signal = nothing.get_future();
    nothing.set_value();
    co_await signal;
    signal.result();
    promise<std::unique_ptr<int>> owner;
    auto result = owner.get_future();
    owner.set_value(std::make_unique<int>(5));
    const std::unique_ptr<int>& value = co_await result;
    EXPECT_EQ(*value, 5);
  };
  run(body());
}

}  // namespace
}  // namespace harrier::test
