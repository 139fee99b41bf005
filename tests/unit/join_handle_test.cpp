// SPDX-License-Identifier: Apache-2.0
// spawn() and join_handle on a lone loop: results, detaching, dropping, cancelling.
#include "support.hpp"

#include <memory>
#include <optional>
#include <type_traits>

namespace harrier::test {
namespace {

static_assert(!std::is_copy_constructible_v<join_handle<int>>);
static_assert(std::is_nothrow_move_constructible_v<join_handle<int>>);
static_assert(std::is_nothrow_move_assignable_v<join_handle<int>>);

TEST(join_handle, gives_the_value) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto handle = spawn(sleep_then(1ms, 7));
    EXPECT_TRUE(handle.valid());
    EXPECT_FALSE(handle.done());
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 7);
}

TEST(join_handle, gives_a_move_only_value_and_a_reference) {
  virtual_clock time;
  runner r(on(time));
  int object = 0;
  auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
  auto refer = [&]() -> task<int&> { co_return object; };
  auto main = [&]() -> task<> {
    auto made = spawn(make());
    const std::unique_ptr<int> value = co_await made;
    EXPECT_EQ(*value, 4);
    auto referred = spawn(refer());
    int& reference = co_await referred;
    EXPECT_EQ(&reference, &object);
  };
  r.run(main());
}

TEST(join_handle, gives_nothing_for_void) {
  virtual_clock time;
  runner r(on(time));
  bool ran = false;
  auto child = [&]() -> task<> {
    ran = true;
    co_return;
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    co_await handle;
    EXPECT_TRUE(ran);
  };
  r.run(main());
}

TEST(join_handle, is_awaited_as_a_temporary) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    const int value = co_await spawn(give(3));
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 3);
}

TEST(join_handle, rethrows_the_exception) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<std::string> {
    auto handle = spawn(throw_boom("spawned"));
    std::string seen;
    try {
      co_await handle;
    } catch (const boom& e) {
      seen = e.what();
    }
    co_return seen;
  };
  EXPECT_EQ(r.run(main()), "spawned");
}

TEST(join_handle, awaiting_a_done_task_does_not_wait) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto handle = spawn(give(5));
    co_await sleep_for(1ms);
    EXPECT_TRUE(handle.done());
    const time_point before = this_loop().now();
    const int value = co_await handle;
    EXPECT_EQ(this_loop().now(), before);
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 5);
}

TEST(join_handle, spawned_task_starts_in_a_later_turn) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto child = [&]() -> task<> {
    order += 'c';
    co_return;
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    order += 'm';
    co_await handle;
  };
  r.run(main());
  EXPECT_EQ(order, "mc");
}

TEST(join_handle, dropping_detaches_and_the_loop_owns_the_task) {
  virtual_clock time;
  runner r(on(time));
  bool finished = false;
  auto child = [&]() -> task<> {
    co_await sleep_for(1ms);
    finished = true;
  };
  auto main = [&]() -> task<> {
    {
      auto handle = spawn(child());
    }
    EXPECT_FALSE(finished);
    co_await sleep_for(2ms);
    EXPECT_TRUE(finished);
  };
  r.run(main());
}

TEST(join_handle, detach_lets_go) {
  virtual_clock time;
  runner r(on(time));
  bool finished = false;
  auto child = [&]() -> task<> {
    co_await sleep_for(1ms);
    finished = true;
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    handle.detach();
    EXPECT_FALSE(handle.valid());
    co_await sleep_for(2ms);
  };
  r.run(main());
  EXPECT_TRUE(finished);
}

TEST(join_handle, move_leaves_the_source_invalid) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto a = spawn(give(6));
    auto b = std::move(a);
    EXPECT_FALSE(a.valid());  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(b.valid());
    a = std::move(b);
    const int value = co_await a;
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 6);
}

TEST(join_handle, move_only_result_that_nobody_takes_is_destroyed) {
  virtual_clock time;
  runner r(on(time));
  auto make = []() -> task<tracked> { co_return tracked(); };
  auto main = [&]() -> task<> {
    {
      auto kept = spawn(make());
      spawn(make()).detach();
      co_await sleep_for(1ms);
      EXPECT_TRUE(kept.done());
      EXPECT_EQ(tracked::alive(), 1);
    }
    EXPECT_EQ(tracked::alive(), 0);
  };
  r.run(main());
}

TEST(join_handle, many_tasks_are_joined_in_any_order) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<long> {
    std::vector<join_handle<int>> handles;
    for (int i = 0; i < 1000; ++i) {
      handles.push_back(spawn(sleep_then(std::chrono::milliseconds((i * 37) % 100), i)));
    }
    long sum = 0;
    for (std::size_t i = handles.size(); i-- > 0;) {
      const int value = co_await handles[i];
      EXPECT_EQ(value, static_cast<int>(i));
      sum += value;
    }
    co_return sum;
  };
  EXPECT_EQ(r.run(main()), 999L * 1000 / 2);
}

TEST(join_handle, spawn_of_an_empty_task_throws_invalid_task) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto t = give(1);
    auto other = std::move(t);
    EXPECT_THROW((void)spawn(std::move(t)), invalid_task);  // NOLINT(bugprone-use-after-move)
    co_await other;
  };
  r.run(main());
}

// The blocking forms are for ordinary code: inside a loop they would stop it.
TEST(join_handle, blocking_get_and_wait_inside_a_loop_are_refused) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto handle = spawn(sleep_then(1ms, 2));
    EXPECT_THROW((void)handle.get(), blocking_in_loop);
    EXPECT_THROW(handle.wait(), blocking_in_loop);
    EXPECT_TRUE(handle.valid()) << "a refused call changes nothing";
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 2);
}

TEST(join_handle, blocking_refusal_names_co_await) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<std::string> {
    auto handle = spawn(give(1));
    std::string text;
    try {
      handle.wait();
    } catch (const blocking_in_loop& e) {
      text = e.what();
    }
    co_await handle;
    co_return text;
  };
  EXPECT_NE(r.run(main()).find("co_await"), std::string::npos);
}

TEST(join_handle, a_spawned_task_spawns_and_joins_its_own) {
  virtual_clock time;
  runner r(on(time));
  std::function<task<long>(int)> tree = [&tree](int depth) -> task<long> {
    if (depth == 0) co_return 1;
    auto left = spawn(tree(depth - 1));
    auto right = spawn(tree(depth - 1));
    const long a = co_await left;
    const long b = co_await right;
    co_return a + b;
  };
  EXPECT_EQ(r.run(tree(12)), 4096);
}

}  // namespace
}  // namespace harrier::test
