// SPDX-License-Identifier: Apache-2.0
// test_tasks: cancelling, misuse, and what a task is called.
#include "ending.hpp"

#include <optional>

namespace harrier::test {
namespace {

ASYNCIO_CASE(test_tasks, test_cancel) {
  auto handle = spawn(sleep_for_ever());
  co_await sleep_for(1ms);
  EXPECT_TRUE(handle.cancel());
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_TRUE(handle.done());
  EXPECT_FALSE(handle.cancel());
}

ASYNCIO_CASE_IN_ORDER(test_tasks, test_cancelling) {
  auto handle = spawn(sleep_for_ever());
  EXPECT_EQ(handle.cancelling(), 0u);
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(handle.cancelling(), 1u);
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(handle.cancelling(), 2u);
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE_IN_ORDER(test_tasks, test_uncancel_basic) {
  auto twice = []() -> task<> {
    const task_ref self = co_await current_task();
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      self.uncancel();
    }
    co_await sleep_for(10s);
  };
  auto handle = spawn(twice());
  co_await sleep_for(1ms);
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(handle.cancelling(), 1u);
  co_await sleep_for(1ms);
  EXPECT_EQ(handle.cancelling(), 0u);
  EXPECT_FALSE(handle.done());
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(handle.cancelling(), 1u);
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_EQ(handle.cancelling(), 1u);
}

ASYNCIO_CASE(test_tasks, test_uncancel_resets_must_cancel) {
  const task_ref self = co_await current_task();
  self.cancel();  // not delivered yet
  EXPECT_EQ(self.cancelling(), 1u);
  EXPECT_EQ(self.uncancel(), 0u);
  co_await sleep_for(1ms);
}

ASYNCIO_CASE(test_tasks, test_uncancel_structured_blocks) {
  // Scopes that cancel for themselves, in a task that is cancelled from outside.
  auto body = []() -> task<std::string> {
    std::string log;
    const task_ref self = co_await current_task();
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      log += "outside ";
    }
    auto inner = with_timeout(1ms, sleep_for_ever());
    auto how = ending_of(inner);
    log += co_await how;
    log += " " + std::to_string(self.cancelling());
    co_return log;
  };
  auto handle = spawn(body());
  co_await sleep_for(1ms);
  handle.cancel();
  EXPECT_EQ(co_await handle, "outside timed out 1");
}

ASYNCIO_CASE(test_tasks, test_cancel_with_message_then_future_result) {
  auto sleeps = []() -> task<> { co_await sleep_for(10s); };
  auto coro = [&]() -> task<> {
    auto inner = spawn(sleeps());
    co_await inner;
  };
  auto handle = spawn(coro());
  co_await sleep_for(1ms);
  handle.cancel("my message");
  std::string message;
  try {
    co_await handle;
  } catch (const cancelled& reason) {
    message = reason.what();
  }
  EXPECT_EQ(message, "my message");
}

ASYNCIO_CASE(test_tasks, test_cancellation_exception_context) {
  auto coro = []() -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      std::throw_with_nested(boom("wrapped"));
    }
  };
  auto handle = spawn(coro());
  co_await sleep_for(1ms);
  handle.cancel("cause");
  std::string cause;
  try {
    co_await handle;
  } catch (const boom& error) {
    try {
      std::rethrow_if_nested(error);
    } catch (const cancelled& nested) {
      cause = nested.what();
    }
  }
  EXPECT_EQ(cause, "cause");
}

ASYNCIO_CASE(test_tasks, test_cancel_yield) {
  auto yields = []() -> task<int> {
    for (;;) co_await yield();
    co_return 12;
  };
  auto handle = spawn(yields());
  co_await yield();
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE(test_tasks, test_cancel_inner_future) {
  auto inner = spawn(sleep_for_ever());
  auto outer = [&]() -> task<> { co_await inner; };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  inner.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE_IN_ORDER(test_tasks, test_cancel_both_task_and_inner_future) {
  auto inner = spawn(sleep_for_ever());
  auto outer = [&]() -> task<> { co_await inner; };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  inner.cancel();
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_TRUE(inner.done());
}

ASYNCIO_CASE(test_tasks, test_cancel_task_catching) {
  auto catching = []() -> task<int> {
    int value = 0;
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      value = 42;
    }
    co_return value;
  };
  auto handle = spawn(catching());
  co_await sleep_for(1ms);
  handle.cancel();
  EXPECT_EQ(co_await handle, 42);
}

ASYNCIO_CASE(test_tasks, test_cancel_task_ignoring) {
  auto ignoring = []() -> task<int> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {  // and waits for something else
    }
    auto other = sleep_then(5ms, 42);
    co_return co_await other;
  };
  auto handle = spawn(ignoring());
  co_await sleep_for(1ms);
  handle.cancel();
  EXPECT_EQ(co_await handle, 42);
}

ASYNCIO_CASE(test_tasks, test_cancel_current_task) {
  auto coro = []() -> task<> {
    const task_ref self = co_await current_task();
    self.cancel();
    co_await sleep_for(10s);
  };
  auto handle = spawn(coro());
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE(test_tasks, test_cancel_at_end) {
  auto coro = []() -> task<int> {
    const task_ref self = co_await current_task();
    self.cancel();
    co_return 12;
  };
  auto handle = spawn(coro());
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE(test_tasks, test_cancel_awaited_task) {
  auto inner = spawn(sleep_for_ever());
  const task_ref inner_ref = inner.ref();
  auto outer = [&]() -> task<> { co_await inner; };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_TRUE(inner_ref.done());
  EXPECT_EQ(inner_ref.cancelling(), 1u);
}

ASYNCIO_CASE(test_tasks, test_task_cancel_sleeping_task) {
  auto handle = spawn(sleep_then(10s, 1));
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_LT(this_loop().now(), time_point{} + 10s) << "and the timer is gone";
}

ASYNCIO_CASE(test_tasks, test_task_cancel_waiter_future) {
  auto target = spawn(sleep_for_ever());
  auto outer = [&]() -> task<> { co_await shield(target); };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  target.cancel();  // nobody is left to be told
  auto other = ending_of(target);
  co_await other;
}

ASYNCIO_CASE(test_tasks, test_yield_future_passes_cancel) {
  std::string order;
  auto inner = [&]() -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      order += 'i';
      throw;
    }
  };
  auto outer = [&]() -> task<int> {
    auto child = inner();
    try {
      co_await child;
    } catch (const cancelled&) {
      order += 'o';
    }
    co_return 100;
  };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  handle.cancel();
  EXPECT_EQ(co_await handle, 100);
  EXPECT_EQ(order, "io");
}

ASYNCIO_CASE(test_tasks, test_task_awaits_on_itself) {
  std::optional<join_handle<void>> self;
  bool ready = false;
  auto coro = [&]() -> task<> {
    while (!ready) co_await yield();
    co_await *self;
  };
  self = spawn(coro());
  ready = true;
  auto how = ending_of(*self);
  EXPECT_EQ(co_await how, "a task cannot wait for itself");
}

ASYNCIO_CASE(test_tasks, test_bare_create_named_task) {
  auto handle = spawn(give(1), "named");
  EXPECT_EQ(handle.ref().name(), "named");
  co_await handle;
}

ASYNCIO_CASE(test_tasks, test_current_task) {
  auto coro = []() -> task<task_ref> {
    task_ref self = co_await current_task();
    co_return self;
  };
  auto handle = spawn(coro());
  const task_ref self = co_await handle;
  EXPECT_EQ(self, handle.ref());
}

ASYNCIO_CASE(test_tasks, test_current_task_with_interleaving_tasks) {
  auto coro = []() -> task<bool> {
    const task_ref before = co_await current_task();
    co_await sleep_for(1ms);
    const task_ref after = co_await current_task();
    co_return before == after;
  };
  auto one = spawn(coro());
  auto two = spawn(coro());
  EXPECT_FALSE(one.ref() == two.ref());
  EXPECT_TRUE(co_await one);
  EXPECT_TRUE(co_await two);
}

ASYNCIO_CASE_IN_ORDER(test_tasks, test__register_task_3) {
  auto handle = spawn(give(1));
  EXPECT_EQ(this_loop().all_tasks().size(), 2u);
  co_await handle;
  EXPECT_EQ(this_loop().all_tasks().size(), 1u) << "what has ended is not listed";
}

ASYNCIO_CASE(test_tasks, test_awaitables_chain) {
  const task_ref self = co_await current_task();
  std::function<task<bool>(int)> chain = [&](int depth) -> task<bool> {
    if (depth == 0) {
      const task_ref innermost = co_await current_task();
      co_return innermost == self;
    }
    auto next = chain(depth - 1);
    co_return co_await next;
  };
  auto op = chain(100);
  EXPECT_TRUE(co_await op) << "a hundred awaits, one task";
}

ASYNCIO_CASE(test_tasks, test_sleep) {
  const time_point start = this_loop().now();
  auto first = sleep_then(50ms, 0);
  co_await first;
  auto second = sleep_then(50ms, 7);
  EXPECT_EQ(co_await second, 7);
  EXPECT_GE(this_loop().now() - start, 100ms);
}

ASYNCIO_CASE(test_tasks, test_sleep_cancel) {
  auto handle = spawn(sleep_then(10s, 1));
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE_IN_ORDER(test_tasks, test_sleep_zero) {
  std::string order;
  auto other = [&]() -> task<> {
    order += 'o';
    co_return;
  };
  auto handle = spawn(other());
  co_await sleep_for(0s);  // what was queued runs first
  order += 'm';
  EXPECT_EQ(order, "om");
  co_await handle;
}

}  // namespace
}  // namespace harrier::test
