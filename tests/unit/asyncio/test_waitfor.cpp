// SPDX-License-Identifier: Apache-2.0
// test_waitfor: one awaitable under a limit.
#include "ending.hpp"

#include <optional>

namespace harrier::test {
namespace {

constexpr duration task_timeout = 200ms;

/// Runs for its time whoever cancels it.
task<> slow_task(bool& exited) {
  const time_point exit_at = this_loop().now() + task_timeout;
  while (this_loop().now() < exit_at) {
    try {
      co_await sleep_until(exit_at);
    } catch (const cancelled&) {  // it will not be hurried
    }
  }
  exited = true;
}

ASYNCIO_CASE(test_waitfor, test_asyncio_wait_for_cancelled) {
  bool exited = false;
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(with_timeout(task_timeout * 2, slow_task(exited))));
  co_await sleep_for(1ms);
  handles[0].cancel();
  auto op = wait(handles);
  co_await op;
  EXPECT_TRUE(exited);
}

ASYNCIO_CASE(test_waitfor, test_asyncio_wait_for_timeout) {
  bool exited = false;
  auto op = with_timeout(task_timeout / 2, slow_task(exited));
  auto how = ending_of(op);
  co_await how;
  EXPECT_TRUE(exited);
}

ASYNCIO_CASE(test_waitfor, test_wait_for_timeout_less_then_0_or_0_future_done) {
  auto handle = spawn(give(7));
  while (!handle.done()) co_await yield();
  auto op = with_timeout(0s, std::move(handle));
  EXPECT_EQ(co_await op, 7);
}

ASYNCIO_CASE(test_waitfor, test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started) {
  bool started = false;
  auto op = with_timeout(0s, hold(tracked(), started));
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "timed out");
  EXPECT_FALSE(started);
}

/// Sleeps for long, and says whether it does.
task<> sleeps_and_says(std::atomic<int>& running) {
  running = 1;
  try {
    co_await sleep_for(10s);
  } catch (const cancelled&) {
    running = 0;
    throw;
  }
}

ASYNCIO_CASE(test_waitfor, test_wait_for_timeout_less_then_0_or_0) {
  for (const duration limit : {duration(0s), duration(-1s)}) {
    std::atomic<int> running{-1};
    auto handle = spawn(sleeps_and_says(running));
    while (running != 1) co_await yield();
    const task_ref inner = handle.ref();
    auto op = with_timeout(limit, std::move(handle));
    auto how = ending_of(op);
    EXPECT_EQ(co_await how, "timed out");
    EXPECT_TRUE(inner.done());
    EXPECT_EQ(running, 0);
  }
}

ASYNCIO_CASE(test_waitfor, test_wait_for) {
  std::atomic<int> running{-1};
  auto handle = spawn(sleeps_and_says(running));
  const task_ref inner = handle.ref();
  auto op = with_timeout(100ms, std::move(handle));
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "timed out");
  EXPECT_TRUE(inner.done());
  EXPECT_EQ(running, 0);
}

ASYNCIO_CASE(test_waitfor, test_wait_for_blocking) {
  auto op = with_timeout(duration::max(), give(3));
  EXPECT_EQ(co_await op, 3);
}

ASYNCIO_CASE(test_waitfor, test_wait_for_race_condition) {
  auto handle = spawn(sleep_then(100ms, 5));
  auto op = with_timeout(200ms, std::move(handle));
  EXPECT_EQ(co_await op, 5);
}

task<int> gives_one_when_cancelled() {
  try {
    co_await sleep_for(1s);
  } catch (const cancelled&) {
    co_return 1;
  }
  co_return 0;
}

ASYNCIO_CASE(test_waitfor, test_wait_for_cancellation_race_condition) {
  auto op = with_timeout(10ms, gives_one_when_cancelled());
  EXPECT_EQ(co_await op, 1);
}

/// Needs a moment to be cancelled.
task<> cleans_up(bool& done) {
  bool was_cancelled = false;
  try {
    co_await sleep_for(10s);
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  if (was_cancelled) {
    co_await sleep_for(1ms);
    done = true;
    throw cancelled();
  }
}

ASYNCIO_CASE(test_waitfor, test_wait_for_waits_for_task_cancellation) {
  bool done = false;
  auto handle = spawn(cleans_up(done));
  auto op = with_timeout(1ms, std::move(handle));
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "timed out");
  EXPECT_TRUE(done);
}

ASYNCIO_CASE(test_waitfor, test_wait_for_waits_for_task_cancellation_w_timeout_0) {
  bool done = false;
  auto handle = spawn(cleans_up(done));
  co_await sleep_for(1ms);
  auto op = with_timeout(0s, std::move(handle));
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "timed out");
  EXPECT_TRUE(done);
}

ASYNCIO_CASE(test_waitfor, test_wait_for_reraises_exception_during_cancellation) {
  auto inner = []() -> task<> {
    try {
      co_await sleep_for(200ms);
    } catch (const cancelled&) {
      throw boom("foo");
    }
  };
  auto handle = spawn(inner());
  auto op = with_timeout(1ms, std::move(handle));
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "foo");
}

task<> cancelled_wait_for(duration limit) {
  auto inner = spawn(sleep_for_ever());
  const task_ref inner_ref = inner.ref();
  auto waiting = spawn(with_timeout(limit, std::move(inner)));
  co_await sleep_for(1ms);
  waiting.cancel();
  auto how = ending_of(waiting);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_TRUE(inner_ref.done());
  EXPECT_EQ(inner_ref.cancelling(), 1u);
}

ASYNCIO_CASE(test_waitfor, test_cancel_blocking_wait_for) {
  auto op = cancelled_wait_for(duration::max());
  co_await op;
}

ASYNCIO_CASE(test_waitfor, test_cancel_wait_for) {
  auto op = cancelled_wait_for(60s);
  co_await op;
}

ASYNCIO_CASE(test_waitfor, test_wait_for_cancel_suppressed) {
  auto return_42 = []() -> task<int> {
    int value = 0;
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      value = 42;
    }
    co_return value;
  };
  auto op = with_timeout(100ms, return_42());
  EXPECT_EQ(co_await op, 42);
}

ASYNCIO_CASE(test_waitfor, test_wait_for_issue86296) {
  bool reached_end = false;
  auto body = [&]() -> task<> {
    auto op = with_timeout(100s, give(1));
    co_await op;
    co_await sleep_for(1s);
    reached_end = true;
  };
  auto handle = spawn(body());
  co_await yield();
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_FALSE(reached_end);
}

ASYNCIO_CASE(test_waitfor, test_none_timeout) {
  auto handle = spawn(sleep_then(100ms, 7));
  EXPECT_EQ(co_await shield(handle), 7);
  EXPECT_TRUE(handle.done());
}

ASYNCIO_CASE(test_waitfor, test_shielded_timeout) {
  auto handle = spawn(sleep_then(100ms, 7));
  auto op = with_timeout(10ms, shield(handle));
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "timed out");
  EXPECT_FALSE(handle.done());
  EXPECT_EQ(co_await handle, 7);
}

}  // namespace
}  // namespace harrier::test
