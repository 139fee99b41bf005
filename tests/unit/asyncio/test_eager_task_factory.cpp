// SPDX-License-Identifier: Apache-2.0
// test_eager_task_factory: here eager start is asked for by each spawn, never set for a loop.
// Left out: test_eager_task_factory_set (there is no factory to set); test_recursive_gather (gather is
// when_all: it starts its children in place anyway); test_close_loop and the like, of Python only.
#include "case.hpp"

namespace harrier::test {
namespace {

ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_await_coro) {
  auto outer = []() -> task<int> {
    auto inner = give(42);
    const int value = co_await inner;
    co_return value;
  };
  const int value = co_await spawn(eager, outer());
  EXPECT_EQ(value, 42);
}

ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_eager_completion) {
  auto handle = spawn(eager, give(42));
  EXPECT_TRUE(handle.done());
  const int value = co_await handle;
  EXPECT_EQ(value, 42);
}

ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_block_after_eager_step) {
  auto child = []() -> task<int> {
    co_await yield();
    co_return 42;
  };
  auto handle = spawn(eager, child());
  EXPECT_FALSE(handle.done());
  const int value = co_await handle;
  EXPECT_EQ(value, 42);
}

ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_cancellation_after_eager_completion) {
  auto handle = spawn(eager, give(42));
  EXPECT_TRUE(handle.done());
  EXPECT_FALSE(handle.cancel());
  const int value = co_await handle;
  EXPECT_EQ(value, 42);
}

ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_cancellation_after_eager_step_blocks) {
  auto child = []() -> task<int> {
    co_await yield();
    co_return 42;
  };
  auto handle = spawn(eager, child());
  EXPECT_FALSE(handle.done());
  EXPECT_TRUE(handle.cancel());
  bool was_cancelled = false;
  try {
    co_await handle;
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  EXPECT_TRUE(was_cancelled);
}

// The first step runs in the child's own context, and the parent's is back afterwards.
ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_context_vars) {
  static const context_var<int> value("value", 0);
  auto child = []() -> task<> {
    EXPECT_EQ(value.get(), 1);
    (void)value.set(2);
    co_await yield();
    EXPECT_EQ(value.get(), 2);
  };
  (void)value.set(1);
  auto handle = spawn(eager, child());
  EXPECT_EQ(value.get(), 1);
  co_await handle;
  EXPECT_EQ(value.get(), 1);
}

// Listed during its first step, not afterwards.
ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_all_tasks_with_eager_completion) {
  event_loop& loop = this_loop();
  const std::size_t before = loop.live_tasks();
  std::size_t during = 0;
  auto child = [&]() -> task<> {
    during = loop.live_tasks();
    co_return;
  };
  auto handle = spawn(eager, child());
  EXPECT_EQ(during, before + 1);
  EXPECT_EQ(loop.live_tasks(), before);
  co_await handle;
}

// A chain of awaits is one task.
ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_awaitables_chain) {
  event_loop& loop = this_loop();
  const std::size_t before = loop.live().added();
  std::function<task<int>(int)> chain = [&chain](int depth) -> task<int> {
    if (depth == 0) co_return 0;
    auto rest = chain(depth - 1);
    const int below = co_await rest;
    co_return below + 1;
  };
  auto handle = spawn(eager, chain(100));
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(loop.live().added(), before + 1);
  const int depth = co_await handle;
  EXPECT_EQ(depth, 100);
}

// 5 wide, 4 deep: none of the 780 children is ever queued.
ASYNCIO_CASE_IN_ORDER(test_eager_task_factory, test_recursive_taskgroups) {
  int started = 0;
  std::function<task<>(int)> tree = [&](int depth) -> task<> {
    ++started;
    std::vector<join_handle<void>> children;
    for (int i = 0; depth != 0 && i < 5; ++i) {
      children.push_back(spawn(eager, tree(depth - 1)));
      EXPECT_TRUE(children.back().done());
    }
    for (join_handle<void>& each : children) co_await each;
  };
  auto handle = spawn(eager, tree(4));
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(started, 781);
  co_await handle;
}

}  // namespace
}  // namespace harrier::test
