// SPDX-License-Identifier: Apache-2.0
// What options ask of a batch: errors, retries, time, control. On virtual time, which nobody waits for.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
#include <list>
#include <optional>
#include <string>

namespace harrier::test {
namespace {

class virtual_runtime {
 public:
  explicit virtual_runtime(std::size_t workers) : rt(options(time, workers)) {}
  virtual_clock time;
  runtime rt;

 private:
  static runtime_options options(clock& of, std::size_t workers) {
    runtime_options made;
    made.workers = workers;
    made.time = &of;
    return made;
  }
};

class batch_options : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(workers, batch_options, testing::Values(1, 3));

TEST(batch_options_refused, what_makes_no_sense) {
  EXPECT_THROW(dispatch_options().with_window(0), std::invalid_argument);
  EXPECT_THROW(dispatch_options().with_memory_budget(100, 200), std::invalid_argument);
  EXPECT_THROW(dispatch_options().with_deadline(0s), std::invalid_argument);
  EXPECT_THROW(dispatch_options().with_item_timeout(-1s), std::invalid_argument);
  EXPECT_THROW(dispatch_options().with_rate(0), std::invalid_argument);
  EXPECT_THROW(dispatch_options().with_rate(10, 0), std::invalid_argument);
  EXPECT_THROW(retry_policy().attempts(0), std::invalid_argument);
  EXPECT_THROW(retry_policy().backoff(1s, 0.5), std::invalid_argument);
  EXPECT_THROW(retry_policy().jitter(1.5), std::invalid_argument);
  EXPECT_THROW((void)tolerate(-1), std::invalid_argument);
  EXPECT_THROW((void)tolerate(1.5), std::invalid_argument);
  EXPECT_EQ(dispatch_options().with_memory_budget(1000, 100).window, 10u);
}

TEST(batch_options_refused, endless_retries_without_a_deadline) {
  runtime rt(std::size_t{1});
  const auto endless = dispatch_options().with_retry(retry_policy().unlimited());
  std::atomic<int> made{0};
  auto body = [&](std::uint64_t) -> task<> {
    ++made;
    co_return;
  };
  EXPECT_THROW((void)rt.dispatch(3, body, endless), std::invalid_argument);
  EXPECT_EQ(made.load(), 0);
  std::vector<task<int>> tasks;
  tasks.push_back(give(1));
  EXPECT_THROW((void)rt.dispatch(std::move(tasks), dispatch_options().with_retry(retry_policy())),
               std::invalid_argument);
}

// --- errors

TEST_P(batch_options, tolerate_throws_only_beyond_its_number) {
  runtime rt(GetParam());
  auto body = [](std::uint64_t i) -> task<std::uint64_t> {
    if (i % 10 == 0) throw boom(std::to_string(i));
    co_return i;
  };
  auto enough = rt.dispatch(50, body, dispatch_options().on_error(tolerate(5)));
  EXPECT_EQ(enough.get()[7], 7u);
  EXPECT_FALSE(enough.has_result(10));
  EXPECT_EQ(enough.errors().size(), 5u);
  auto share = rt.dispatch(50, body, dispatch_options().on_error(tolerate(0.1)));
  EXPECT_NO_THROW(share.get());
  auto too_many = rt.dispatch(50, body, dispatch_options().on_error(tolerate(4)));
  EXPECT_THROW(too_many.get(), boom);
  auto too_large = rt.dispatch(50, body, dispatch_options().on_error(tolerate(0.05)));
  EXPECT_THROW(too_large.get(), boom);
}

TEST_P(batch_options, fail_fast_cancels_the_rest_of_a_dispatch) {
  virtual_runtime on(GetParam());
  auto body = [](std::uint64_t i) -> task<int> {
    if (i == 3) {
      co_await sleep_for(1s);
      throw boom("three");
    }
    co_await sleep_for(24h);
    co_return 1;
  };
  auto b = on.rt.dispatch(20, body, dispatch_options().on_error(fail_fast));
  EXPECT_THROW((void)b.get(), boom);
  EXPECT_EQ(b.first_error()->index, 3u);
  EXPECT_EQ(b.counts().cancelled, 19u);
  EXPECT_EQ(on.time.now().time_since_epoch(), 1s);
}

// --- retries

TEST_P(batch_options, retry_waits_longer_each_time) {
  virtual_runtime on(GetParam());
  std::vector<duration> at;
  auto body = [&](std::uint64_t, batch_item item) -> task<std::uint32_t> {
    at.push_back(this_loop().now().time_since_epoch());
    if (item.attempt < 5) throw boom();
    co_return item.attempt;
  };
  auto b = on.rt.dispatch(
      1, body, dispatch_options().with_retry(retry_policy().attempts(5).backoff(10ms, 2.0, 30ms)));
  EXPECT_EQ(b.get()[0], 5u);
  EXPECT_EQ(at, (std::vector<duration>{0ms, 10ms, 30ms, 60ms, 90ms}));
  EXPECT_EQ(b.progress().retried, 4u);
  EXPECT_EQ(b.progress().failed, 0u);
}

TEST_P(batch_options, retry_gives_up_and_lists_the_dead_letters) {
  virtual_runtime on(GetParam());
  const std::list<int> numbers{0, 1, 2, 3};  // pulled: elements are kept for the next attempt
  auto body = [](int number) -> task<int> {
    if (number == 2) throw boom("two");
    co_return number;
  };
  auto b = on.rt.dispatch(
      numbers, body,
      dispatch_options().on_error(tolerate(1)).with_retry(retry_policy().attempts(3).backoff(1s)));
  (void)b.get();
  const auto dead = b.errors();
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].index, 2u);
  EXPECT_EQ(dead[0].attempts, 3u);
  EXPECT_EQ(text_of(dead[0].error), "two");
  EXPECT_EQ(on.time.now().time_since_epoch(), 3s);
}

TEST_P(batch_options, retry_only_after_chosen_errors) {
  runtime rt(GetParam());
  std::atomic<int> tries{0};
  auto body = [&](std::uint64_t i) -> task<> {
    ++tries;
    if (i == 0) throw boom();
    throw std::logic_error("never again");
    co_return;
  };
  auto b =
      rt.dispatch(2, body, dispatch_options().with_retry(retry_policy().attempts(4).on<boom>()));
  b.wait();
  EXPECT_EQ(tries.load(), 5);
}

TEST(batch_retry, jitter_is_the_same_in_every_run_and_within_its_share) {
  const auto policy = retry_policy().backoff(100ms, 1.0).jitter(0.2);
  bool differs = false;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const duration wait = policy.wait_after(1, item_seed(5, i));
    EXPECT_EQ(wait, policy.wait_after(1, item_seed(5, i)));
    EXPECT_GE(wait, 80ms);
    EXPECT_LE(wait, 120ms);
    differs |= wait != policy.wait_after(1, item_seed(5, i + 1));
  }
  EXPECT_TRUE(differs);
}

TEST_P(batch_options, cancel_ends_an_item_that_waits_for_its_next_attempt) {
  virtual_runtime on(GetParam());
  auto body = [](std::uint64_t) -> task<> {
    throw boom();
    co_return;
  };
  auto b = on.rt.dispatch(5, body,
                          dispatch_options()
                              .with_retry(retry_policy().unlimited().backoff(1h, 1.0, 1h))
                              .with_deadline(90min));
  EXPECT_THROW(b.get(), batch_deadline_exceeded);
  EXPECT_EQ(b.progress().retried, 10u);  // at once and after an hour
  EXPECT_EQ(b.counts().cancelled, 5u);
}

// --- time

TEST_P(batch_options, deadline_cancels_and_is_thrown) {
  virtual_runtime on(GetParam());
  auto body = [](std::uint64_t i) -> task<> { co_await sleep_for(i * 1s); };
  auto b = on.rt.dispatch(10, body, dispatch_options().with_deadline(4500ms));
  EXPECT_THROW(b.get(), batch_deadline_exceeded);
  EXPECT_EQ(b.counts().completed, 5u);
  EXPECT_EQ(on.time.now().time_since_epoch(), 4500ms);
}

TEST_P(batch_options, deadline_that_is_not_reached_leaves_nothing_behind) {
  virtual_runtime on(GetParam());
  auto b = on.rt.dispatch(
      10, [](std::uint64_t) -> task<> { co_await sleep_for(1s); },
      dispatch_options().with_deadline(1h));
  EXPECT_NO_THROW(b.get());
  EXPECT_TRUE(on.rt.drain(10s));
  EXPECT_EQ(on.time.now().time_since_epoch(), 1s);
}

TEST_P(batch_options, item_timeout_fails_the_slow_ones) {
  virtual_runtime on(GetParam());
  std::atomic<int> cleaned{0};
  auto body = [&](std::uint64_t i) -> task<std::uint64_t> {
    try {
      co_await sleep_for(i * 1s);
    } catch (const cancelled&) {
      ++cleaned;
      throw;
    }
    co_return i;
  };
  auto b = on.rt.dispatch(6, body, dispatch_options().with_item_timeout(2500ms));
  EXPECT_THROW((void)b.get(), item_timed_out);
  EXPECT_EQ(b.errors().size(), 3u);
  EXPECT_EQ(cleaned.load(), 3);
  EXPECT_EQ(b.results()[2], 2u);
  EXPECT_EQ(on.time.now().time_since_epoch(), 2500ms);
}

TEST_P(batch_options, item_timeout_counts_for_each_attempt) {
  virtual_runtime on(GetParam());
  auto body = [](std::uint64_t, batch_item item) -> task<std::uint32_t> {
    if (item.attempt < 3) co_await sleep_for(1h);
    co_return item.attempt;
  };
  auto b = on.rt.dispatch(1, body,
                          dispatch_options().with_item_timeout(1s).with_retry(
                              retry_policy().attempts(3).on<item_timed_out>()));
  EXPECT_EQ(b.get()[0], 3u);
  EXPECT_EQ(on.time.now().time_since_epoch(), 2s);
}

TEST_P(batch_options, cancel_reaches_a_timed_item) {
  virtual_runtime on(GetParam());
  auto body = [](std::uint64_t) -> task<> { co_await sleep_for(24h); };
  auto b = on.rt.dispatch(
      4, body, dispatch_options().with_item_timeout(12h).with_deadline(1h).on_error(collect_all));
  EXPECT_THROW(b.get(), batch_deadline_exceeded);
  EXPECT_EQ(b.counts().cancelled, 4u);
  EXPECT_EQ(b.counts().failed, 0u);
}

TEST_P(batch_options, rate_spreads_the_starts_evenly_after_a_burst) {
  virtual_runtime on(GetParam());
  std::mutex mutex;
  std::vector<duration> at;
  auto body = [&](std::uint64_t) -> task<> {
    const std::lock_guard guard(mutex);
    at.push_back(this_loop().now().time_since_epoch());
    co_return;
  };
  on.rt.dispatch(6, body, dispatch_options().with_rate(10, 3)).get();
  std::ranges::sort(at);
  EXPECT_EQ(at, (std::vector<duration>{0ms, 0ms, 0ms, 100ms, 200ms, 300ms}));
}

// --- control

TEST_P(batch_options, progress_adds_up) {
  virtual_runtime on(GetParam());
  gate g;
  auto body = [&](std::uint64_t i) -> task<> {
    if (i % 4 == 1) throw boom();
    if (i % 4 != 0) co_await sleep_for(2s);
  };
  auto b = on.rt.dispatch(8, body);
  b.wait();
  const batch_progress p = b.progress();
  EXPECT_EQ(p.completed, 6u);
  EXPECT_EQ(p.failed, 2u);
  EXPECT_EQ(p.queued + p.running + p.cancelled, 0u);
  EXPECT_EQ(p.elapsed, 2s);
  EXPECT_EQ(p.rate(), 4.0);
  EXPECT_EQ(p.remaining(), duration(0));
}

TEST_P(batch_options, progress_is_reported_while_it_runs) {
  virtual_runtime on(GetParam());
  std::vector<std::uint64_t> ended;
  auto body = [](std::uint64_t i) -> task<> { co_await sleep_for(i * 1s); };
  on.rt
      .dispatch(5, body,
                dispatch_options().on_progress(
                    1400ms, [&](const batch_progress& p) { ended.push_back(p.ended()); }))
      .get();
  EXPECT_EQ(ended, (std::vector<std::uint64_t>{2, 3}));
}

TEST_P(batch_options, paused_batch_starts_nothing_until_it_is_resumed) {
  runtime rt(GetParam());
  std::atomic<int> started{0};
  gate first;
  auto body = [&](std::uint64_t i) -> task<int> {
    ++started;
    co_await first.wait();
    co_return static_cast<int>(i);
  };
  auto b = rt.dispatch(100, body, dispatch_options().with_window(1));
  while (first.arrivals() < 1) std::this_thread::yield();
  b.pause();
  EXPECT_TRUE(b.is_paused());
  first.open();
  for (int i = 0; i < 50; ++i) rt.run(give(i));
  EXPECT_LE(started.load(), 1);
  EXPECT_FALSE(b.done());
  b.resume();
  EXPECT_EQ(b.get().size(), 100u);
  EXPECT_EQ(started.load(), 100);
}

TEST_P(batch_options, cancel_ends_a_paused_batch) {
  runtime rt(GetParam());
  gate g;
  auto b = rt.dispatch(
      100, [&](std::uint64_t) -> task<> { co_await g.wait(); }, dispatch_options().with_window(1));
  while (g.arrivals() < 1) std::this_thread::yield();
  b.pause();
  b.drop_unstarted();
  g.open();
  EXPECT_THROW(b.get(), run_cancelled);
  EXPECT_EQ(b.counts().completed, 1u);
  EXPECT_EQ(b.counts().cancelled, 99u);
}

TEST_P(batch_options, cancel_from_inside_an_item) {
  runtime rt(GetParam());
  std::optional<batch<int>> b;
  gate ready;
  auto body = [&](std::uint64_t i) -> task<int> {
    co_await ready.wait();
    if (i == 0) b->cancel();
    co_return static_cast<int>(i);
  };
  b.emplace(rt.dispatch(10'000, body, dispatch_options().with_window(4)));
  ready.open();
  b->wait();
  EXPECT_GT(b->counts().cancelled, 0u);
  EXPECT_EQ(b->counts().completed + b->counts().cancelled, 10'000u);
}

}  // namespace
}  // namespace harrier::test
