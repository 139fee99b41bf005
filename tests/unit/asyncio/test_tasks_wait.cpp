// SPDX-License-Identifier: Apache-2.0
// test_tasks: wait, as_completed, shield.
#include "ending.hpp"

#include <list>
#include <optional>
#include <ranges>

namespace harrier::test {
namespace {

using indexes = std::vector<std::size_t>;

std::vector<join_handle<int>> two_sleepers(duration first, duration second) {
  std::vector<join_handle<int>> handles;
  handles.push_back(spawn(sleep_then(first, 1)));
  handles.push_back(spawn(sleep_then(second, 2)));
  return handles;
}

ASYNCIO_CASE(test_tasks, test_wait) {
  auto handles = two_sleepers(100ms, 150ms);
  auto op = wait(handles);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done, (indexes{0, 1}));
  EXPECT_TRUE(result.pending.empty());
  EXPECT_EQ(co_await handles[0], 1);
  EXPECT_EQ(co_await handles[1], 2);
}

ASYNCIO_CASE(test_tasks, test_wait_errors) {
  EXPECT_THROW((void)wait(std::vector<join_handle<int>>()), std::invalid_argument);
  EXPECT_THROW((void)wait(std::vector<join_handle<int>>(1)), invalid_task);
  co_return;
}

ASYNCIO_CASE(test_tasks, test_wait_with_iterator_of_tasks) {
  std::list<join_handle<int>> handles;
  handles.push_back(spawn(sleep_then(1ms, 1)));
  handles.push_back(spawn(sleep_then(2ms, 2)));
  auto op = wait(handles);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done.size(), 2u);
}

ASYNCIO_CASE(test_tasks, test_wait_first_completed) {
  auto handles = two_sleepers(10s, 100ms);
  auto op = wait(handles, wait_until::first_done);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done, indexes{1});
  EXPECT_EQ(result.pending, indexes{0});
  EXPECT_FALSE(handles[0].done());
  handles[0].cancel();
  auto how = ending_of(handles[0]);
  co_await how;
}

ASYNCIO_CASE(test_tasks, test_wait_really_done) {
  // What is done at the return is in `done`, although one alone was asked for.
  std::vector<join_handle<int>> handles;
  handles.push_back(spawn(give(1)));
  handles.push_back(spawn(give(2)));
  while (!handles[0].done() || !handles[1].done()) co_await yield();
  auto op = wait(handles, wait_until::first_done);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done, (indexes{0, 1}));
}

ASYNCIO_CASE(test_tasks, test_wait_first_exception) {
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(sleep_for_ever()));
  handles.push_back(spawn(throws_now("zero")));
  auto op = wait(handles, wait_until::first_error);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done, indexes{1});
  EXPECT_EQ(result.pending, indexes{0});
  auto how = ending_of(handles[1]);
  EXPECT_EQ(co_await how, "zero");
  handles[0].cancel();
  auto other = ending_of(handles[0]);
  EXPECT_EQ(co_await other, "cancelled");
}

ASYNCIO_CASE(test_tasks, test_wait_first_exception_in_wait) {
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(sleep_for_ever()));
  handles.push_back(spawn(throws_after(10ms, "zero")));
  auto op = wait(handles, wait_until::first_error);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done, indexes{1});
  EXPECT_EQ(result.pending, indexes{0});
  handles[0].cancel();
  auto first = ending_of(handles[0]);
  co_await first;
  auto second = ending_of(handles[1]);
  co_await second;
}

ASYNCIO_CASE(test_tasks, test_wait_first_exception_with_a_cancel) {
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(sleep_for_ever()));
  handles.push_back(spawn(throws_after(20ms, "zero")));
  handles[0].cancel();  // a cancel is no exception: the wait goes on
  auto op = wait(handles, wait_until::first_error);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done, (indexes{0, 1}));
  auto second = ending_of(handles[1]);
  co_await second;
}

ASYNCIO_CASE(test_tasks, test_wait_with_exception) {
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(throws_after(150ms, "zero")));
  handles.push_back(spawn(throws_after(100ms, "one")));
  auto op = wait(handles);
  const wait_result result = co_await op;  // throws nothing
  EXPECT_EQ(result.done.size(), 2u);
  auto first = ending_of(handles[0]);
  EXPECT_EQ(co_await first, "zero");
  auto second = ending_of(handles[1]);
  EXPECT_EQ(co_await second, "one");
}

ASYNCIO_CASE(test_tasks, test_wait_with_timeout) {
  auto handles = two_sleepers(100ms, 10s);
  auto op = wait(handles, wait_until::all_done, 500ms);
  const wait_result result = co_await op;
  EXPECT_EQ(result.done, indexes{0});
  EXPECT_EQ(result.pending, indexes{1});
  const task_ref self = co_await current_task();
  EXPECT_EQ(self.cancelling(), 0u);
  co_await yield();
  handles[1].cancel();
  auto how = ending_of(handles[1]);
  co_await how;
}

ASYNCIO_CASE(test_tasks, test_wait_concurrent_complete) {
  auto handles = two_sleepers(100ms, 100ms);
  auto op = wait(handles, wait_until::all_done, 100ms);
  const wait_result result = co_await op;  // either way: nobody waits for ever
  EXPECT_EQ(result.done.size() + result.pending.size(), 2u);
  auto rest = wait(handles);
  co_await rest;
}

ASYNCIO_CASE(test_tasks, test_yield_wait_does_not_shield_cancel) {
  // Cancelling the wait leaves what is waited for alone.
  std::vector<join_handle<int>> handles;
  handles.push_back(spawn(sleep_then(50ms, 3)));
  join_handle<int>& handle = handles[0];
  auto body = [&]() -> task<> {
    auto op = wait(handles);
    co_await op;
  };
  auto waiter = spawn(body());
  co_await sleep_for(1ms);
  waiter.cancel();
  auto how = ending_of(waiter);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_FALSE(handle.done());
  EXPECT_EQ(co_await handle, 3);
  EXPECT_EQ(handle.cancelling(), 0u);
}

ASYNCIO_CASE(test_tasks, test_as_completed) {
  std::vector<join_handle<int>> handles;
  handles.push_back(spawn(sleep_then(30ms, 0)));
  handles.push_back(spawn(sleep_then(10ms, 1)));
  handles.push_back(spawn(sleep_then(20ms, 2)));
  std::vector<int> order;
  auto ended = as_completed(handles);
  for (;;) {
    auto op = ended.next();
    join_handle<int>* next = co_await op;
    if (next == nullptr) break;
    EXPECT_TRUE(next->done());
    order.push_back(co_await *next);
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 0}));
}

ASYNCIO_CASE(test_tasks, test_as_completed_same_tasks_in_as_out) {
  auto handles = two_sleepers(2ms, 1ms);
  std::vector<join_handle<int>*> seen;
  auto ended = as_completed(handles);
  for (int i = 0; i < 2; ++i) {
    auto op = ended.next();
    seen.push_back(co_await op);
  }
  EXPECT_EQ(seen, (std::vector<join_handle<int>*>{&handles[1], &handles[0]}));
}

ASYNCIO_CASE(test_tasks, test_as_completed_with_timeout) {
  auto handles = two_sleepers(10ms, 10s);
  auto consume = [&]() -> task<int> {
    int sum = 0;
    auto ended = as_completed(handles);
    auto first = ended.next();
    join_handle<int>* next = co_await first;
    sum += co_await *next;
    std::string how = "ended";
    try {
      auto second = ended.next();
      auto op = with_timeout(50ms, std::move(second));
      co_await op;
    } catch (const timed_out&) {
      how = "timed out";
    }
    EXPECT_EQ(how, "timed out");
    co_return sum;
  };
  auto op = consume();
  EXPECT_EQ(co_await op, 1);
  EXPECT_FALSE(handles[1].done()) << "the tasks go on";
  handles[1].cancel();
  auto how = ending_of(handles[1]);
  co_await how;
}

ASYNCIO_CASE(test_tasks, test_as_completed_with_unused_timeout) {
  auto handles = two_sleepers(0s, 0s);
  auto ended = as_completed(handles);
  auto first = ended.next();
  auto op = with_timeout(10s, std::move(first));
  EXPECT_NE(co_await op, nullptr);
}

ASYNCIO_CASE(test_tasks, test_as_completed_invalid_args) {
  std::vector<join_handle<int>> empty(1);
  auto ended = as_completed(empty);
  auto op = ended.next();
  bool refused = false;
  try {
    co_await op;
  } catch (const invalid_task&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

ASYNCIO_CASE(test_tasks, test_shield_result) {
  auto handle = spawn(sleep_then(1ms, 42));
  EXPECT_EQ(co_await shield(handle), 42);
}

ASYNCIO_CASE(test_tasks, test_shield_exception) {
  auto handle = spawn(throws_after(1ms, "expected"));
  auto op = shield(handle);
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "expected");
}

ASYNCIO_CASE(test_tasks, test_shield_shortcut) {
  auto handle = spawn(give(42));
  while (!handle.done()) co_await yield();
  EXPECT_EQ(co_await shield(handle), 42);
}

ASYNCIO_CASE(test_tasks, test_shield_cancel_inner) {
  auto handle = spawn(sleep_for_ever());
  auto outer = [&]() -> task<> { co_await shield(handle); };
  auto waiter = spawn(outer());
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(waiter);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_TRUE(handle.done());
}

ASYNCIO_CASE(test_tasks, test_shield_cancel_outer) {
  auto handle = spawn(sleep_then(50ms, 1));
  auto outer = [&]() -> task<> { co_await shield(handle); };
  auto waiter = spawn(outer());
  co_await sleep_for(1ms);
  waiter.cancel();
  auto how = ending_of(waiter);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_FALSE(handle.done());
  EXPECT_EQ(co_await handle, 1);
}

ASYNCIO_CASE(test_tasks, test_shield_effect) {
  std::atomic<int> proof{0};
  auto inner = [&]() -> task<> {
    co_await sleep_for(50ms);
    proof += 1;
  };
  auto outer = [&]() -> task<> {
    co_await shield(inner());
    proof += 100;
  };
  auto waiter = spawn(outer());
  co_await sleep_for(1ms);
  waiter.cancel();
  auto how = ending_of(waiter);
  EXPECT_EQ(co_await how, "cancelled");
  co_await sleep_for(100ms);
  EXPECT_EQ(proof, 1);
}

}  // namespace
}  // namespace harrier::test
