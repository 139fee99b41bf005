// SPDX-License-Identifier: Apache-2.0
// A task seen from anywhere: current_task(), all_tasks(), counted cancels, the view of a stop.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
#include <optional>

namespace harrier::test {
namespace {

TEST(task_ref, of_the_current_task_is_the_one_that_was_spawned) {
  virtual_clock time;
  runner r(on(time));
  auto child = []() -> task<task_ref> {
    task_ref self = co_await current_task();
    co_return self;
  };
  auto main = [&]() -> task<> {
    const task_ref mine = co_await current_task();
    EXPECT_EQ(mine.name(), "main");
    auto handle = spawn(child(), "child");
    const task_ref from_outside = handle.ref();
    const task_ref from_inside = co_await handle;
    EXPECT_EQ(from_inside, from_outside);
    EXPECT_NE(from_inside, mine);
    EXPECT_EQ(from_inside.name(), "child");
    EXPECT_TRUE(from_inside.done());
    EXPECT_FALSE(from_inside.cancel());
  };
  r.run(main());
}

// T11, T12
TEST(task_ref, of_an_awaited_child_is_that_of_its_parent) {
  virtual_clock time;
  runner r(on(time));
  auto child = []() -> task<task_ref> {
    task_ref self = co_await current_task();
    co_return self;
  };
  auto main = [&]() -> task<> {
    const task_ref mine = co_await current_task();
    auto op = child();
    const task_ref its = co_await op;
    EXPECT_EQ(its, mine);
  };
  r.run(main());
}

TEST(task_ref, empty_refuses_everything) {
  const task_ref none;
  EXPECT_FALSE(none.valid());
  EXPECT_THROW((void)none.done(), invalid_task);
  EXPECT_THROW(none.cancel(), invalid_task);
  EXPECT_THROW((void)none.cancelling(), invalid_task);
}

TEST(task_ref, current_task_of_a_batch_item_makes_it_a_task) {
  runtime rt(std::size_t{2});
  auto item = [](std::uint64_t) -> task<bool> {
    const task_ref first = co_await current_task();
    co_await yield();
    const task_ref second = co_await current_task();
    co_return first == second && !first.done();
  };
  auto b = rt.dispatch(100, item);
  for (const bool same : b.get()) EXPECT_TRUE(same);
}

TEST(task_ref, all_tasks_of_a_loop_are_those_that_have_not_ended) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto one = spawn(sleep_then(1ms, 1), "one");
    auto two = spawn(sleep_then(2ms, 2), "two");
    std::vector<task_ref> all = this_loop().all_tasks();
    EXPECT_EQ(all.size(), 3u);
    if (all.size() != 3) co_return;
    EXPECT_EQ(all[0].name(), "main");
    EXPECT_EQ(all[1], one.ref());
    EXPECT_EQ(all[2], two.ref());
    co_await one;
    all = this_loop().all_tasks();
    EXPECT_EQ(all.size(), 2u);
    co_await two;
  };
  r.run(main());
  EXPECT_TRUE(r.loop().all_tasks().empty());
}

TEST(task_ref, all_tasks_of_a_runtime) {
  runtime rt(std::size_t{2});
  gate open;
  auto body = [&]() -> task<> { co_await open.wait(); };
  std::vector<join_handle<void>> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(rt.spawn(body(), "waits"));
  const std::vector<task_ref> all = rt.all_tasks();
  EXPECT_EQ(all.size(), 20u);
  for (const task_ref& each : all) EXPECT_EQ(each.name(), "waits");
  open.open();
  for (join_handle<void>& handle : handles) handle.get();
}

// T7
TEST(uncancel, counts_down_to_zero_and_no_further) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto handle = spawn(sleep_for_ever());
    co_await yield();
    EXPECT_EQ(handle.cancelling(), 0u);
    EXPECT_EQ(handle.uncancel(), 0u);
    EXPECT_TRUE(handle.cancel());
    EXPECT_TRUE(handle.cancel());
    EXPECT_EQ(handle.cancelling(), 2u);
    EXPECT_EQ(handle.uncancel(), 1u);
    EXPECT_EQ(handle.uncancel(), 0u);
    EXPECT_EQ(handle.uncancel(), 0u);
    bool was_cancelled = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled) << "it had ended the wait already";
  };
  r.run(main());
}

// T7: of a task that is ready, and of one that has not started.
TEST(uncancel, takes_back_a_cancel_that_has_not_ended_a_wait) {
  virtual_clock time;
  runner r(on(time));
  auto yields = []() -> task<int> {
    co_await yield();
    co_await yield();
    co_return 42;
  };
  auto main = [&]() -> task<> {
    auto ready = spawn(yields());
    co_await yield();
    auto fresh = spawn(yields());
    EXPECT_TRUE(ready.cancel());
    EXPECT_TRUE(fresh.cancel());
    EXPECT_EQ(ready.uncancel(), 0u);
    EXPECT_EQ(fresh.uncancel(), 0u);
    EXPECT_EQ(co_await ready, 42);
    EXPECT_EQ(co_await fresh, 42);
  };
  r.run(main());
}

TEST(uncancel, while_more_cancels_are_outstanding_takes_nothing_back) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    const task_ref self = co_await current_task();
    self.cancel();
    self.cancel();
    EXPECT_EQ(self.uncancel(), 1u);
    bool was_cancelled = false;
    try {
      co_await yield();
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    EXPECT_EQ(self.uncancel(), 0u);
  };
  r.run(main());
}

TEST(stop_view, is_a_level_that_another_thread_may_read) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    const task_ref self = co_await current_task();
    const stop_view stop = co_await current_stop_view();
    EXPECT_FALSE(stop.stop_requested());
    self.cancel();
    bool seen = false;
    on_another_thread([&] { seen = stop.stop_requested(); });
    EXPECT_TRUE(seen);
    try {
      co_await yield();
    } catch (const cancelled&) {  // delivered, and still outstanding
      EXPECT_TRUE(stop.stop_requested());
    }
    EXPECT_EQ(self.uncancel(), 0u);
    EXPECT_FALSE(stop.stop_requested());
  };
  r.run(main());
}

TEST(join_handle, may_be_awaited_by_several_in_the_order_of_their_coming) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto main = [&]() -> task<> {
    auto target = spawn(sleep_then(5ms, 7));
    auto waits = [&](char letter) -> task<> {
      const int value = co_await target;
      EXPECT_EQ(value, 7);
      order += letter;
    };
    auto a = spawn(waits('a'));
    auto b = spawn(waits('b'));
    auto c = spawn(waits('c'));
    co_await a;
    co_await b;
    co_await c;
  };
  r.run(main());
  EXPECT_EQ(order, "abc");
}

TEST(join_handle, one_of_several_waiters_may_leave) {
  virtual_clock time;
  runner r(on(time));
  int ended = 0;
  auto main = [&]() -> task<> {
    auto stubborn = []() -> task<int> {
      for (int i = 0; i < 2; ++i) {
        try {
          co_await sleep_for(5ms);
        } catch (const cancelled&) {  // goes on
        }
      }
      co_return 7;
    };
    auto target = spawn(stubborn());
    auto waits = [&]() -> task<> {
      co_await target;
      ++ended;
    };
    auto a = spawn(waits());
    auto b = spawn(waits());
    auto c = spawn(waits());
    co_await yield();
    co_await yield();
    target.cancel();  // so that the next one is not passed on
    b.cancel();
    co_await a;
    co_await c;
    EXPECT_TRUE(b.done());
  };
  r.run(main());
  EXPECT_EQ(ended, 2);
}

// T10
TEST(join_handle, of_oneself_cannot_be_awaited) {
  virtual_clock time;
  runner r(on(time));
  std::optional<join_handle<void>> self;
  auto body = [&]() -> task<> { co_await *self; };
  self = r.loop().spawn(body());
  auto main = [&]() -> task<> {
    bool refused = false;
    try {
      co_await *self;
    } catch (const self_await&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
  };
  r.run(main());
}

}  // namespace
}  // namespace harrier::test
