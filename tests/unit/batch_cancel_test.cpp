// SPDX-License-Identifier: Apache-2.0
// Cancelling a batch, and what happens to one whose runtime goes away.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
#include <optional>

namespace harrier::test {
namespace {

// Counts what happens to items that sleep until they are cancelled. The long sleep is never slept:
// each test ends it by a cancel.
class watched_items {
 public:
  task<> operator()(std::uint64_t /*i*/) { return body(*this); }

  static task<> body(watched_items& self) {
    self.started.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      self.cancels.add();
      throw;
    }
  }

  tally started;
  tally cancels;
};

TEST(batch_cancel, drops_unstarted_items_and_cancels_started_ones_once) {
  runtime rt(std::size_t{2});
  watched_items items;
  auto b = rt.dispatch(10'000, std::ref(items), dispatch_options().with_window(16));
  items.started.wait_for(16);
  b.cancel();
  b.wait();
  EXPECT_EQ(items.started.value(), 16);
  EXPECT_EQ(items.cancels.value(), 16);
  const batch_counts c = b.counts();
  EXPECT_EQ(c.total, 10'000u);
  EXPECT_EQ(c.started, 16u);
  EXPECT_EQ(c.cancelled, 10'000u);
  EXPECT_EQ(c.completed, 0u);
  EXPECT_EQ(c.failed, 0u);
}

TEST(batch_cancel, makes_get_throw_run_cancelled) {
  runtime rt(std::size_t{2});
  watched_items items;
  auto b = rt.dispatch(100, std::ref(items));
  items.started.wait_for(1);
  b.cancel();
  EXPECT_THROW(b.get(), run_cancelled);
}

TEST(batch_cancel, makes_co_await_throw_cancelled) {
  runtime rt(std::size_t{2});
  watched_items items;
  auto main = [&]() -> task<bool> {
    auto b = rt.dispatch(10, std::ref(items));
    co_await yield();
    b.cancel();
    bool was_cancelled = false;
    try {
      co_await b;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    co_return was_cancelled;
  };
  EXPECT_TRUE(rt.run(main()));
}

TEST(batch_cancel, of_a_done_batch_changes_nothing) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(10, [](std::uint64_t i) { return give(static_cast<int>(i)); });
  b.wait();
  b.cancel();
  b.cancel();
  EXPECT_EQ(b.get().size(), 10u);
  EXPECT_EQ(b.counts().cancelled, 0u);
}

TEST(batch_cancel, items_may_swallow_it_and_give_a_result) {
  runtime rt(std::size_t{2});
  tally started;
  auto body = [&](std::uint64_t) -> task<int> {
    started.add();
    int value = 0;
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      value = 5;
    }
    co_return value;
  };
  auto b = rt.dispatch(4, body);
  started.wait_for(4);
  b.cancel();
  b.wait();
  EXPECT_EQ(b.counts().completed, 4u);
  for (std::uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(b.has_result(i));
    EXPECT_EQ(b.results()[i], 5);
  }
}

TEST(batch_cancel, twice_is_one_cancel_for_each_item) {
  runtime rt(std::size_t{2});
  tally started;
  std::atomic<int> cancels{0};
  gate finish;
  auto body = [&](std::uint64_t) -> task<> {
    started.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cancels;
    }
    co_await finish.wait();
    co_await yield();  // a second cancel would be thrown here
  };
  auto b = rt.dispatch(8, body);
  started.wait_for(8);
  b.cancel();
  b.cancel();
  finish.open();
  b.wait();
  EXPECT_EQ(cancels.load(), 8);
  EXPECT_EQ(b.counts().completed, 8u);
}

TEST(batch_cancel, of_the_awaiting_task_cancels_the_batch) {
  runtime rt(std::size_t{2});
  watched_items items;
  auto main = [&]() -> task<> {
    auto b = rt.dispatch(100, std::ref(items), dispatch_options().with_window(4));
    co_await b;
  };
  auto handle = rt.spawn(main());
  items.started.wait_for(4);
  handle.cancel();
  EXPECT_THROW(handle.get(), run_cancelled);
  EXPECT_TRUE(rt.drain(10s));
  EXPECT_EQ(items.started.value(), 4);
  EXPECT_EQ(items.cancels.value(), 4);
}

TEST(batch_cancel, releases_the_tasks_that_were_given) {
  {
    runtime rt(std::size_t{1});
    bool started = false;
    std::vector<task<>> tasks;
    for (int i = 0; i < 100; ++i) tasks.push_back(hold(tracked(), started));
    auto b = rt.dispatch(std::move(tasks), dispatch_options().with_window(1));
    b.cancel();
    b.wait();
    EXPECT_EQ(tracked::alive(), 0);
  }
  EXPECT_EQ(live_frames(), 0u);
}

TEST(batch_cancel, destroying_the_runtime_cancels_and_joins_a_live_batch) {
  watched_items items;
  std::optional<batch<void>> b;
  {
    runtime rt(std::size_t{2});
    b.emplace(rt.dispatch(1000, std::ref(items), dispatch_options().with_window(8)));
    items.started.wait_for(8);
  }
  EXPECT_EQ(live_frames(), 0u);
  EXPECT_TRUE(b->done());
  EXPECT_EQ(items.cancels.value(), 8);
  const batch_counts c = b->counts();
  EXPECT_EQ(c.completed + c.failed + c.cancelled, 1000u);
  EXPECT_EQ(c.cancelled, 1000u);
}

TEST(batch_cancel, destroying_the_runtime_with_a_detached_batch) {
  watched_items items;
  {
    runtime rt(std::size_t{2});
    {
      auto b = rt.dispatch(1000, std::ref(items), dispatch_options().with_window(8));
    }
    items.started.wait_for(8);
  }
  EXPECT_EQ(live_frames(), 0u);
  EXPECT_EQ(items.cancels.value(), 8);
}

TEST(batch_cancel, destroying_the_runtime_while_items_compute) {
  for (int round = 0; round < 20; ++round) {
    runtime rt(std::size_t{2});
    auto body = [](std::uint64_t i) -> task<std::uint64_t> {
      if (i % 5 == 0) co_await yield();
      co_return i;
    };
    auto b = rt.dispatch(100'000, body);
    (void)b;
  }
  EXPECT_EQ(live_frames(), 0u);
}

TEST(batch_cancel, races_with_the_end) {
  runtime rt(std::size_t{2});
  for (int round = 0; round < 200; ++round) {
    auto body = [](std::uint64_t i) -> task<std::uint64_t> {
      if (i % 2 == 0) co_await yield();
      co_return i;
    };
    auto b = rt.dispatch(200, body);
    b.cancel();
    b.wait();
    const batch_counts c = b.counts();
    ASSERT_EQ(c.completed + c.failed + c.cancelled, 200u);
  }
}

// A thief finds many tasks that a cancel has made ready, instead of being woken for one after another;
// and what else is ready has its turn meanwhile.
TEST(batch_cancel, makes_many_tasks_ready_at_once_but_not_all) {
  constexpr std::uint64_t sleepers = 1000;
  runtime rt(std::size_t{1});
  std::uint64_t asleep = 0;
  std::uint64_t ended = 0;
  auto body = [&](std::uint64_t) -> task<> {
    ++asleep;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {  // counted, and passed on
      ++ended;
      throw;
    }
  };
  auto main = [&]() -> task<> {
    auto b = rt.dispatch(sleepers, body, dispatch_options().with_window(sleepers));
    while (asleep < sleepers) co_await yield();
    co_await yield();
    b.cancel();
    std::uint64_t first = 0;
    std::uint64_t most = 0;
    while (ended < sleepers) {
      const std::uint64_t before = ended;
      co_await yield();
      most = std::max(most, ended - before);
      if (first == 0) first = most;
    }
    EXPECT_GE(first, 32u);
    EXPECT_LE(most, 128u);
  };
  rt.run(main());
}

}  // namespace
}  // namespace harrier::test
