// SPDX-License-Identifier: Apache-2.0
// Items of a batch that give way and have no record: they are found by thieves, cancels and whoever
// lists the tasks, like those that have one. What needs many of them at once is in sim/: how many start in
// a row depends on the time that they take.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <optional>

namespace harrier::test {
namespace {

const context_var<int>& number() {
  static const context_var<int> variable("given_way.number", 0);
  return variable;
}

task<std::uint64_t> yields_often(std::uint64_t index) {
  for (std::uint64_t left = index % 4; left != 0; --left) {
    co_await yield();
  }
  co_return index;
}

TEST(given_way, items_go_on_and_give_their_results) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    const std::uint64_t count = scaled(20'000, 2'000);
    auto batch = rt.dispatch(count, yields_often);
    const auto results = batch.get();
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_EQ(results[i], i);
    }
    const batch_counts counts = batch.counts();
    EXPECT_EQ(counts.started, count);
    EXPECT_EQ(counts.completed, count);
  }
}

task<> yields_below() { co_await yield(); }

TEST(given_way, a_child_gives_way_for_its_item) {
  runtime rt(std::size_t{1});
  auto item = [](std::uint64_t index) -> task<std::uint64_t> {
    co_await yields_below();
    co_await yields_below();
    co_return index;
  };
  auto batch = rt.dispatch(100, item);
  EXPECT_EQ(batch.get()[99], 99u);
}

constexpr std::uint64_t few = 8;

TEST(given_way, an_item_that_returns_without_seeing_the_cancel_counts_as_cancelled) {
  runtime rt(std::size_t{1});
  std::optional<decltype(rt.dispatch(1, yields_often))> batch;
  std::atomic<bool> is_set = false;
  auto item = [&](std::uint64_t index) -> task<std::uint64_t> {
    co_await yield();
    is_set.wait(false);
    batch->cancel();
    co_return index;
  };
  batch.emplace(rt.dispatch(1, item));
  is_set = true;
  is_set.notify_one();
  EXPECT_THROW(batch->get(), run_cancelled);
  EXPECT_EQ(batch->counts().cancelled, 1u);
  EXPECT_EQ(batch->counts().completed, 0u);
}

TEST(given_way, thieves_take_what_has_given_way) {
  runtime rt(std::size_t{2});
  // Whoever goes on first holds its worker until all the others have ended: on the other worker.
  tally ended;
  std::atomic<bool> is_first = true;
  auto item = [&](std::uint64_t) -> task<> {
    co_await yield();
    if (is_first.exchange(false)) {
      ended.wait_for(few - 1);
    }
    ended.add();
  };
  auto batch = rt.dispatch(few, item);
  batch.get();
  EXPECT_EQ(ended.value(), few);
}

TEST(given_way, what_an_item_has_set_is_its_own_and_stays) {
  runtime rt(std::size_t{1});
  auto item = [](std::uint64_t index) -> task<bool> {
    bool is_right = number().get() == 0;
    co_await yield();
    is_right = is_right && number().get() == 0;
    if (index % 2 == 0) {
      number().set(static_cast<int>(index) + 1);
    }
    co_await yield();
    co_await yield();
    co_return is_right&& number().get() == (index % 2 == 0 ? static_cast<int>(index) + 1 : 0);
  };
  auto batch = rt.dispatch(few, item);
  for (const bool each : batch.get()) {
    EXPECT_TRUE(each);
  }
}

TEST(given_way, stop_cancels_items_that_give_way_for_ever) {
  runtime rt(std::size_t{2});
  tally started;
  auto item = [&](std::uint64_t) -> task<> {
    started.add();
    for (;;) {
      co_await yield();
    }
  };
  auto batch = rt.dispatch(few, item);
  started.wait_for(1);
  rt.stop();
  EXPECT_TRUE(batch.done());
  EXPECT_EQ(batch.counts().cancelled, few);
}

}  // namespace
}  // namespace harrier::test
