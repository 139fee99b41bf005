// SPDX-License-Identifier: Apache-2.0
// Items of a batch that give way and have no record: they are found by thieves, cancels and whoever
// lists the tasks, like those that have one.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
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

/// Items on one worker, of which one acts: the first that goes on while some others have given way.
class one_acts {
 public:
  static constexpr std::uint64_t items = 1'000;
  /// To be asked before and after a yield. After it: whether to act.
  void before() { ++waiting_; }
  bool after() {
    --waiting_;
    if (others_ != 0 || waiting_ < few) {
      return false;
    }
    others_ = waiting_;
    return true;
  }
  std::uint64_t others() const { return others_; }

 private:
  std::uint64_t waiting_ = 0;
  std::uint64_t others_ = 0;
};

TEST(given_way, a_cancel_is_thrown_once_where_an_item_gave_way) {
  runtime rt(std::size_t{1});
  one_acts which;
  tally first_throws;
  tally later_throws;
  auto item = [&](std::uint64_t) -> task<> {
    which.before();
    bool was_cancelled = false;
    try {
      co_await yield();
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    if (which.after()) {
      throw boom();  // which cancels the batch
    }
    if (was_cancelled) {
      first_throws.add();
    }
    try {
      co_await yield();
    } catch (const cancelled&) {
      later_throws.add();
    }
  };
  auto batch = rt.dispatch(one_acts::items, item, dispatch_options().on_error(fail_fast));
  EXPECT_THROW(batch.get(), boom);
  EXPECT_GE(which.others(), few);
  EXPECT_EQ(first_throws.value() + later_throws.value(), which.others());
  EXPECT_GE(first_throws.value(), few - 1);
}

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

TEST(given_way, items_are_listed_and_can_be_cancelled_one_by_one) {
  runtime rt(std::size_t{1});
  one_acts which;
  std::size_t listed = 0;
  tally throws;
  auto item = [&](std::uint64_t index) -> task<std::uint64_t> {
    which.before();
    try {
      co_await yield();
    } catch (const cancelled&) {
      throws.add();
    }
    if (which.after()) {
      std::vector<task_ref> all = rt.all_tasks();
      listed = all.size();
      for (task_ref& each : all) {
        each.cancel();
      }
    }
    co_return index;
  };
  auto batch = rt.dispatch(one_acts::items, item);
  batch.wait();
  EXPECT_GE(which.others(), few);
  EXPECT_EQ(listed, which.others()) << "all but the one that asks, which runs";
  EXPECT_EQ(throws.value(), which.others());
  EXPECT_EQ(batch.counts().completed, one_acts::items);
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

TEST(given_way, an_item_that_gave_way_is_in_the_window) {
  runtime rt(std::size_t{1});
  std::uint64_t live = 0;
  std::uint64_t most = 0;
  auto item = [&](std::uint64_t) -> task<> {
    most = std::max(most, ++live);
    co_await yield();
    co_await yield();
    --live;
  };
  rt.dispatch(100, item, dispatch_options().with_window(4)).get();
  EXPECT_EQ(most, 4u);
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
