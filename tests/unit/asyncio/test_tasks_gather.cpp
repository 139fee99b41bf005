// SPDX-License-Identifier: Apache-2.0
// test_tasks: gather, which is when_all, and with return_exceptions when_all_settled.
#include <harrier/when_all.hpp>

#include "ending.hpp"

#include <memory>
#include <tuple>

namespace harrier::test {
namespace {

ASYNCIO_CASE(test_gather, test_success) {
  std::vector<task<int>> work;
  work.push_back(sleep_then(30ms, 1));
  work.push_back(sleep_then(10ms, 2));
  work.push_back(sleep_then(20ms, 3));
  auto op = when_all(std::move(work));
  const std::vector<int> values = co_await op;
  EXPECT_EQ(values, (std::vector<int>{1, 2, 3})) << "in the order of the arguments";
}

ASYNCIO_CASE(test_gather, test_one_exception) {
  std::atomic<int> cancels{0};
  auto sleeps = [&]() -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      cancels += 1;
      throw;
    }
  };
  auto op = when_all(sleeps(), throws_after(10ms, "zero"), sleeps());
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "zero");
  EXPECT_EQ(cancels, 2) << "the others are cancelled and joined, which asyncio does not do";
  const task_ref self = co_await current_task();
  EXPECT_EQ(self.cancelling(), 0u);
  co_await yield();  // nothing is due
}

ASYNCIO_CASE(test_gather, test_exception_marking) {
  // The second error is dropped, and reported to nobody.
  auto op = when_all(throws_after(10ms, "first"), throws_after(10ms, "second"));
  auto how = ending_of(op);
  const std::string text = co_await how;
  EXPECT_TRUE(text == "first" || text == "second");
}

ASYNCIO_CASE(test_gather, test_return_exceptions) {
  auto op = when_all_settled(sleep_then(10ms, 1), throws_after(5ms, "zero"), give(3));
  auto outcomes = co_await op;
  EXPECT_EQ(std::get<0>(outcomes).value(), 1);
  EXPECT_TRUE(std::get<1>(outcomes).has_failed());
  EXPECT_EQ(text_of(std::get<1>(outcomes).error()), "zero");
  EXPECT_EQ(std::get<2>(outcomes).value(), 3);
}

ASYNCIO_CASE(test_gather, test_constructor_empty_sequence_use_running_loop) {
  auto op = when_all(std::vector<task<int>>());
  const std::vector<int> values = co_await op;
  EXPECT_TRUE(values.empty());
  auto none = when_all();
  co_await none;
  auto settled = when_all_settled(std::vector<task<int>>());
  const auto outcomes = co_await settled;
  EXPECT_TRUE(outcomes.empty());
}

task<int> cancels_itself() {
  const task_ref self = co_await current_task();
  throw cancelled();
  co_return 0;
}

ASYNCIO_CASE(test_gather, test_one_cancellation) {
  auto op = when_all(sleep_then(1s, 1), cancels_itself());
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "cancelled");
  const task_ref self = co_await current_task();
  EXPECT_EQ(self.cancelling(), 0u) << "it was the child that was cancelled";
}

ASYNCIO_CASE(test_gather, test_result_exception_one_cancellation) {
  std::vector<task<int>> work;
  work.push_back(give(1));
  work.push_back(throw_boom("zero"));
  work.push_back(cancels_itself());
  work.push_back(sleep_then(5ms, 4));
  auto op = when_all_settled(std::move(work));
  auto outcomes = co_await op;
  EXPECT_EQ(outcomes.size(), 4u);
  if (outcomes.size() != 4) co_return;
  EXPECT_EQ(outcomes[0].value(), 1);
  EXPECT_TRUE(outcomes[1].has_failed());
  EXPECT_TRUE(outcomes[2].was_cancelled());
  EXPECT_THROW((void)outcomes[2].value(), cancelled);
  EXPECT_EQ(outcomes[3].value(), 4);
}

ASYNCIO_CASE(test_gather, test_cancellation_broadcast) {
  std::atomic<int> cancels{0};
  auto inner = [&]() -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      cancels += 1;
      throw;
    }
  };
  auto outer = [&]() -> task<> {
    std::vector<task<>> work;
    for (int i = 0; i < 5; ++i) work.push_back(inner());
    auto op = when_all(std::move(work));
    co_await op;
  };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_EQ(cancels, 5);
}

ASYNCIO_CASE(test_gather, test_cancel_gather_2) {
  // Cancelled even where errors are collected.
  std::atomic<int> cancels{0};
  auto inner = [&]() -> task<int> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      cancels += 1;
      throw;
    }
    co_return 1;
  };
  auto outer = [&]() -> task<> {
    std::vector<task<int>> work;
    for (int i = 0; i < 3; ++i) work.push_back(inner());
    auto op = when_all_settled(std::move(work));
    co_await op;
  };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_EQ(cancels, 3);
}

ASYNCIO_CASE(test_gather, test_issue46672) {
  // A bad task after good ones: those that had started are ended, and nothing is reported.
  auto gone = give(1);
  auto taken = std::move(gone);
  std::vector<task<int>> work;
  work.push_back(sleep_then(1s, 1));
  work.push_back(std::move(gone));
  auto op = when_all(std::move(work));
  auto how = ending_of(op);
  const std::string text = co_await how;
  EXPECT_EQ(text, invalid_task().what());
  co_await taken;
}

ASYNCIO_CASE(test_gather, test_references_and_move_only_values) {
  int target = 0;
  auto refers = [&]() -> task<int&> { co_return target; };
  auto owns = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  auto op = when_all(refers(), owns());
  auto values = co_await op;
  EXPECT_EQ(&std::get<0>(values).get(), &target);
  EXPECT_EQ(*std::get<1>(values), 5);
}

// What asyncio lacks: the first of several.
ASYNCIO_CASE(test_gather, test_any_gives_the_first_and_cancels_the_others) {
  std::atomic<int> cancels{0};
  auto sleeps = [&]() -> task<int> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      cancels += 1;
      throw;
    }
    co_return 0;
  };
  auto op = when_any(sleeps(), sleep_then(10ms, 2), sleeps());
  auto first = co_await op;
  EXPECT_EQ(first.index(), 1u);
  EXPECT_EQ(cancels, 2);
  std::vector<task<int>> work;
  work.push_back(sleeps());
  work.push_back(sleep_then(10ms, 4));
  auto range = when_any(std::move(work));
  const auto result = co_await range;
  EXPECT_EQ(result.index, 1u);
  EXPECT_EQ(result.value, 4);
  EXPECT_EQ(cancels, 3);
}

ASYNCIO_CASE(test_gather, test_any_throws_what_the_first_threw) {
  auto op = when_any(sleep_then(10s, 1), throws_after(5ms, "zero"));
  auto how = ending_of(op);
  EXPECT_EQ(co_await how, "zero");
  auto none = when_any(std::vector<task<int>>());
  auto other = ending_of(none);
  EXPECT_EQ(co_await other, "when_any of no tasks");
}

ASYNCIO_CASE(test_gather, test_any_cancelled_cancels_all) {
  std::atomic<int> cancels{0};
  auto sleeps = [&]() -> task<int> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      cancels += 1;
      throw;
    }
    co_return 0;
  };
  auto outer = [&]() -> task<> {
    auto op = when_any(sleeps(), sleeps());
    co_await op;
  };
  auto handle = spawn(outer());
  co_await sleep_for(1ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_EQ(cancels, 2);
}

}  // namespace
}  // namespace harrier::test
