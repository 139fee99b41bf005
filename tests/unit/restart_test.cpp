// SPDX-License-Identifier: Apache-2.0
// A batch with a checkpoint: what is finished is left out, what completes is recorded.
#include <harrier/runtime.hpp>

#include "checkpoint_support.hpp"
#include "support.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

namespace harrier::test {
namespace {

using testing::ElementsAre;

/// The items that ran, in order.
class run_log {
 public:
  void add(std::uint64_t index) {
    const std::lock_guard lock(mutex_);
    ran_.push_back(index);
  }
  std::vector<std::uint64_t> sorted() const {
    const std::lock_guard lock(mutex_);
    auto ran = ran_;
    std::sort(ran.begin(), ran.end());
    return ran;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> ran_;
};

batch_identity items(std::uint64_t total) { return batch_identity("items", total); }

TEST(restart, every_item_of_a_batch_is_recorded) {
  const scratch_directory scratch;
  runtime rt(std::size_t{3});
  constexpr std::uint64_t total = 20'000;
  checkpoint kept(scratch / "c", items(total), by_hand());
  auto body = [](std::uint64_t i) -> task<> {
    if (i % 7 == 0) co_await yield();
  };
  auto all = rt.dispatch(total, body, dispatch_options().with_checkpoint(kept));
  all.get();
  EXPECT_THAT(kept.finished().ranges(), ElementsAre(index_range(0, total)));
  EXPECT_EQ(all.counts().completed, total);
  EXPECT_EQ(all.counts().skipped, 0u);
}

TEST(restart, failed_and_cancelled_items_are_not_recorded) {
  const scratch_directory scratch;
  runtime rt(std::size_t{2});
  checkpoint kept(scratch / "c", items(100), by_hand());
  run_log ran;
  auto body = [&](std::uint64_t i) -> task<> {
    ran.add(i);
    if (i % 10 == 3) throw boom();
    co_await yield();
    if (i % 10 == 4) throw boom();
  };
  auto first = rt.dispatch(100, body, dispatch_options().with_checkpoint(kept));
  first.wait();
  EXPECT_EQ(first.errors().size(), 20u);
  EXPECT_EQ(kept.finished().size(), 80u);
  EXPECT_FALSE(kept.finished().contains(3));
  EXPECT_FALSE(kept.finished().contains(94));
}

// Items so short that many are one chunk, and then one that takes as long as it likes: those before it
// are known meanwhile, it is not, and nothing that comes after it.
TEST(restart, what_has_ended_is_known_in_the_middle_of_a_chunk) {
  const scratch_directory scratch;
  runtime rt(std::size_t{1});
  constexpr std::uint64_t total = 100'000;
  constexpr std::uint64_t long_one = 50'003;
  checkpoint kept(scratch / "c", items(total), by_hand());
  std::atomic<bool> is_reached{false};
  std::atomic<bool> may_end{false};
  auto body = [&](std::uint64_t i) -> task<> {
    if (i % 1000 == 998) co_await yield();
    if (i == long_one) {
      is_reached.store(true);
      while (!may_end.load()) std::this_thread::yield();
    }
  };
  auto all = rt.dispatch(total, body, dispatch_options().with_checkpoint(kept));
  while (!is_reached.load()) std::this_thread::yield();
  const index_set by_now = kept.finished();
  may_end.store(true);
  all.get();
  EXPECT_TRUE(by_now.contains(long_one - 1));
  EXPECT_FALSE(by_now.contains(long_one));
  EXPECT_GE(by_now.size(), long_one - 51) << "some that gave way may wait behind it";
  EXPECT_LE(by_now.size(), long_one);
  EXPECT_THAT(kept.finished().ranges(), ElementsAre(index_range(0, total)));
}

// Read all the time, by save() and finished(): nothing is finished before its body has ended, and what has
// been seen stays.
TEST(restart, nothing_is_finished_before_it_has_ended) {
  const scratch_directory scratch;
  runtime rt(std::size_t{2});
  constexpr std::uint64_t total = 30'000;
  using deal = void (*)(dispatch_options&);
  const std::vector<deal> ways{[](dispatch_options&) {},
                               [](dispatch_options& o) { o.round_robin(); },
                               [](dispatch_options& o) { o.with_window(7); }};
  for (const deal way : ways) {
    std::filesystem::remove(scratch / "c");
    checkpoint kept(scratch / "c", items(total), by_hand());
    std::vector<std::atomic<bool>> ended(total);
    auto body = [&](std::uint64_t i) -> task<> {
      if (i % 11 == 5) co_await yield();
      if (i % 501 == 500) throw boom();
      ended[i].store(true, std::memory_order_relaxed);  // what the checkpoint orders
    };
    dispatch_options options;
    way(options.with_checkpoint(kept));
    auto all = rt.dispatch(total, body, options);
    index_set seen;
    do {
      const index_set now = kept.finished();
      for (const index_range& each : now.ranges()) {
        for (std::uint64_t i = each.first; i < each.last; ++i) {
          ASSERT_TRUE(ended[i].load(std::memory_order_relaxed)) << i;
        }
      }
      for (const index_range& each : seen.ranges()) ASSERT_TRUE(now.contains(each.first));
      ASSERT_GE(now.size(), seen.size());
      seen = now;
    } while (!all.done());
    all.wait();
    EXPECT_EQ(kept.finished().size(), total - all.errors().size());
    EXPECT_EQ(all.errors().size(), total / 501);
  }
}

// The second batch runs only what the first left, however it is dealt.
TEST(restart, a_second_run_does_what_is_left_and_nothing_else) {
  using deal = void (*)(dispatch_options&);
  const std::vector<deal> ways{
      [](dispatch_options&) {}, [](dispatch_options& o) { o.round_robin(); },
      [](dispatch_options& o) { o.by_key([](std::uint64_t i) { return i / 5; }); },
      [](dispatch_options& o) { o.with_window(3); }};
  for (const deal way : ways) {
    const scratch_directory scratch;
    constexpr std::uint64_t total = 1000;
    std::vector<std::uint64_t> expected;
    {
      checkpoint kept(scratch / "c", items(total), by_hand());
      for (std::uint64_t i = 0; i < total; ++i) {
        if (i % 3 == 0 || (i > 200 && i < 700)) {
          kept.finish(i);
        } else {
          expected.push_back(i);
        }
      }
    }
    checkpoint kept(scratch / "c", items(total), by_hand());
    runtime rt(std::size_t{3});
    run_log ran;
    auto body = [&](std::uint64_t i) -> task<> {
      ran.add(i);
      if (i % 2 == 0) co_await yield();
      if (i == 997) throw boom();
    };
    dispatch_options options;
    way(options.with_checkpoint(kept));
    auto rest = rt.dispatch(total, body, options);
    rest.wait();
    EXPECT_EQ(ran.sorted(), expected);
    EXPECT_EQ(rest.counts().skipped, total - expected.size());
    EXPECT_EQ(rest.counts().completed, expected.size() - 1);
    ASSERT_EQ(rest.errors().size(), 1u);
    EXPECT_EQ(rest.errors()[0].index, 997u) << "errors name the item, not its place in the rest";
    EXPECT_EQ(kept.finished().size(), total - 1);
  }
}

TEST(restart, a_batch_that_is_finished_is_done_at_once) {
  const scratch_directory scratch;
  runtime rt(std::size_t{2});
  checkpoint kept(scratch / "c", items(10), by_hand());
  kept.finish({0, 10});
  run_log ran;
  auto body = [&](std::uint64_t i) -> task<> {
    ran.add(i);
    co_return;
  };
  auto none = rt.dispatch(10, body, dispatch_options().with_checkpoint(kept));
  none.get();
  EXPECT_EQ(ran.sorted().size(), 0u);
  EXPECT_EQ(none.counts().skipped, 10u);
  EXPECT_EQ(rt.metrics().threads_started, 0u);
}

// A cancel in the middle, then the rest: together each item completes once.
TEST(restart, goes_on_after_a_cancel) {
  const scratch_directory scratch;
  runtime rt(std::size_t{2});
  constexpr std::uint64_t total = 500;
  std::vector<std::atomic<int>> completed(total);
  {
    checkpoint kept(scratch / "c", items(total), by_hand());

    tally waiting;
    auto body = [&](std::uint64_t i) -> task<> {
      if (i % 50 == 7) {
        waiting.add();
        co_await sleep_for(24h);
      }
      completed[i].fetch_add(1);
    };
    auto part = rt.dispatch(total, body, dispatch_options().with_checkpoint(kept));
    waiting.wait_for(1);
    part.cancel();
    part.wait();
  }
  checkpoint kept(scratch / "c", items(total), by_hand());
  EXPECT_TRUE(kept.is_resumed());
  auto body = [&](std::uint64_t i) -> task<> {
    completed[i].fetch_add(1);
    co_return;
  };
  auto rest = rt.dispatch(total, body, dispatch_options().with_checkpoint(kept));
  rest.get();
  for (std::uint64_t i = 0; i < total; ++i) EXPECT_EQ(completed[i].load(), 1) << i;
}

TEST(restart, items_write_their_output_with_their_end) {
  const scratch_directory scratch;
  runtime rt(std::size_t{2});
  checkpoint kept(scratch / "c", items(100), by_hand().with_output(scratch / "out"));
  auto body = [&](std::uint64_t i) -> task<> {
    if (i % 3 == 0) co_await yield();
    kept.finish(i, std::to_string(i) + "\n");
  };
  auto all = rt.dispatch(100, body, dispatch_options().with_checkpoint(kept));
  all.get();
  kept.save();
  std::vector<int> lines;
  std::istringstream out(content_of(scratch / "out"));
  for (int line = 0; out >> line;) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  ASSERT_EQ(lines.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(lines[static_cast<std::size_t>(i)], i);
}

TEST(restart, a_batch_of_another_size_or_with_results_is_refused) {
  const scratch_directory scratch;
  runtime rt(std::size_t{1});
  checkpoint kept(scratch / "c", items(10), by_hand());
  const auto options = dispatch_options().with_checkpoint(kept);
  auto nothing = [](std::uint64_t) -> task<> { co_return; };
  auto number = [](std::uint64_t i) -> task<std::uint64_t> { co_return i; };
  EXPECT_THROW(static_cast<void>(rt.dispatch(11, nothing, options)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(rt.dispatch(10, number, options)), std::invalid_argument);
}

// The batch outlives the checkpoint's owner: its end saves what it did, and lets the file go.
TEST(restart, a_running_batch_keeps_the_checkpoint_open) {
  const scratch_directory scratch;
  runtime rt(std::size_t{2});
  gate g;
  auto kept = std::make_unique<checkpoint>(scratch / "c", items(3), by_hand());
  auto body = [&](std::uint64_t) -> task<> { co_await g.wait(); };
  auto all = rt.dispatch(3, body, dispatch_options().with_checkpoint(*kept));
  kept.reset();
  expect_refused(checkpoint_refusal::in_use,
                 [&] { checkpoint(scratch / "c", items(3), by_hand()); });
  g.open();
  all.wait();
  const checkpoint again(scratch / "c", items(3), by_hand());
  EXPECT_EQ(again.finished().size(), 3u);
}

}  // namespace
}  // namespace harrier::test
