// SPDX-License-Identifier: Apache-2.0
// Where the items of a batch run: balanced, round robin, by key; strict policies are binding.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <array>
#include <map>
#include <set>

namespace harrier::test {
namespace {

task<std::size_t> where(std::uint64_t /*i*/) {
  const std::size_t id = this_worker::id().value();
  co_return id;
}

// The worker before and after it gave up its turn a few times: a bound item stays.
task<std::size_t> where_after_yields(std::uint64_t /*i*/) {
  const std::size_t before = this_worker::id().value();
  for (int k = 0; k < 3; ++k) co_await yield();
  const std::size_t after = this_worker::id().value();
  EXPECT_EQ(before, after);
  co_return after;
}

dispatch_options strict(dispatch_options options) {
  options.strict = true;
  return options;
}

TEST(routing, balanced_is_the_default_and_runs_on_workers_only) {
  EXPECT_EQ(dispatch_options().policy, routing::balanced);
  runtime rt(std::size_t{3});
  auto b = rt.dispatch(10'000, where);
  for (const std::size_t id : b.get()) ASSERT_LT(id, 3u);
}

TEST(routing, round_robin_runs_every_item_once) {
  runtime rt(std::size_t{3});
  std::vector<std::atomic<int>> runs(10'000);
  auto body = [&](std::uint64_t i) -> task<> {
    runs[i].fetch_add(1);
    co_return;
  };
  rt.dispatch(runs.size(), body, dispatch_options().round_robin()).get();
  for (const auto& n : runs) ASSERT_EQ(n.load(), 1);
}

TEST(routing, strict_round_robin_gives_every_worker_its_share) {
  runtime rt(std::size_t{4});
  constexpr std::uint64_t n = 4000;
  auto b = rt.dispatch(n, where_after_yields, strict(dispatch_options().round_robin()));
  std::array<std::uint64_t, 4> share{};
  const auto results = b.get();
  for (const std::size_t id : results) ++share.at(id);
  for (const std::uint64_t items : share) EXPECT_EQ(items, n / 4);
}

TEST(routing, strict_round_robin_deals_one_item_after_the_other) {
  runtime rt(std::size_t{4});
  auto b = rt.dispatch(1000, where, strict(dispatch_options().round_robin()));
  const auto results = b.get();
  for (std::size_t i = 4; i < results.size(); ++i) ASSERT_EQ(results[i], results[i - 4]);
  const std::set<std::size_t> first(results.begin(), results.begin() + 4);
  EXPECT_EQ(first.size(), 4u);
}

TEST(routing, strict_by_key_runs_equal_keys_on_one_worker) {
  runtime rt(std::size_t{4});
  const auto key = [](std::uint64_t i) { return (i * i) % 17; };
  std::map<std::uint64_t, std::size_t> home;
  for (int round = 0; round < 3; ++round) {
    auto b = rt.dispatch(5000, where_after_yields, strict(dispatch_options().by_key(key)));
    const auto results = b.get();
    for (std::uint64_t i = 0; i < results.size(); ++i) {
      const auto [it, fresh] = home.try_emplace(key(i), results[i]);
      ASSERT_EQ(it->second, results[i]) << "key " << key(i) << " moved, round " << round;
    }
  }
}

TEST(routing, strict_by_key_never_runs_two_items_of_a_key_at_once) {
  runtime rt(std::size_t{4});
  const auto key = [](std::uint64_t i) { return i % 8; };
  std::array<long, 8> unguarded{};  // plain: a second thread here would be a data race
  auto body = [&](std::uint64_t i) -> task<> {
    ++unguarded[i % 8];
    co_await yield();
    ++unguarded[i % 8];
  };
  rt.dispatch(8000, body, strict(dispatch_options().by_key(key))).get();
  for (const long n : unguarded) EXPECT_EQ(n, 2000);
}

TEST(routing, by_key_with_one_key_runs_everything) {
  runtime rt(std::size_t{4});
  const auto key = [](std::uint64_t) { return std::uint64_t{12345678901}; };
  auto b = rt.dispatch(1000, where, strict(dispatch_options().by_key(key)));
  const auto results = b.get();
  const std::set<std::size_t> ids(results.begin(), results.end());
  EXPECT_EQ(ids.size(), 1u);
}

TEST(routing, loose_by_key_runs_every_item_once) {
  runtime rt(std::size_t{4});
  std::vector<std::atomic<int>> runs(10'000);
  auto body = [&](std::uint64_t i) -> task<> {
    runs[i].fetch_add(1);
    co_return;
  };
  const auto key = [](std::uint64_t i) { return i / 1000; };
  rt.dispatch(runs.size(), body, dispatch_options().by_key(key)).get();
  for (const auto& n : runs) ASSERT_EQ(n.load(), 1);
}

TEST(routing, a_key_function_that_throws_fails_the_dispatch_or_the_item_and_nothing_hangs) {
  runtime rt(std::size_t{2});
  const auto key = [](std::uint64_t i) {
    if (i == 50) throw boom("key");
    return i;
  };
  try {
    auto b = rt.dispatch(100, where, strict(dispatch_options().by_key(key)));
    b.wait();
    const batch_counts c = b.counts();
    EXPECT_EQ(c.completed + c.failed + c.cancelled, 100u);
    EXPECT_GE(c.failed, 1u);
  } catch (const boom&) {
  }
  EXPECT_EQ(rt.run(give(1)), 1);
}

TEST(routing, strict_batches_are_windowed_as_well) {
  runtime rt(std::size_t{2});
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  auto body = [&](std::uint64_t) -> task<> {
    const int here = now.fetch_add(1) + 1;
    int seen = most.load();
    while (here > seen && !most.compare_exchange_weak(seen, here)) {
    }
    co_await yield();
    now.fetch_sub(1);
  };
  rt.dispatch(2000, body, strict(dispatch_options().round_robin().with_window(6))).get();
  EXPECT_LE(most.load(), 6);
}

}  // namespace
}  // namespace harrier::test
