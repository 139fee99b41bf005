// SPDX-License-Identifier: Apache-2.0
// when_all() in the simulation: children that are stolen or not, fail, wait, and are cancelled.
#include <harrier/runtime.hpp>

#include "sim/seeds.hpp"
#include "unit/support.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace harrier::test {
namespace {

constexpr int seeds = 300;

/// How many coroutines have begun and ended.
struct lives {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
};

class life {
 public:
  explicit life(lives& of) : of_(of) { ++of_.begun; }
  life(const life&) = delete;
  life& operator=(const life&) = delete;
  ~life() { ++of_.ended; }

 private:
  lives& of_;
};

/// A tree of both forms. One leaf fails, below a when_all() below a when_all_settled().
task<std::string> tree(lives& all, int depth, int index) {
  const life mine(all);
  if (depth == 0) {
    if (index % 3 == 1) co_await yield();
    if (index % 5 == 2) co_await sleep_for(10us);
    if (index == 13) throw boom("leaf");
    co_return std::string("a string that is not kept in place ") + std::to_string(index);
  }
  if (index % 2 == 0) {
    std::vector<task<std::string>> work;
    for (int i = 0; i < 3; ++i) work.push_back(tree(all, depth - 1, 3 * index + i));
    auto op = when_all_settled(std::move(work));
    auto outcomes = co_await op;
    std::string sum;
    for (auto& each : outcomes) {
      if (each.has_value()) {
        sum += each.value();
      } else {
        sum += "-";
      }
    }
    co_return sum;
  }
  auto op = when_all(tree(all, depth - 1, 3 * index), tree(all, depth - 1, 3 * index + 1), give(7),
                     tree(all, depth - 1, 3 * index + 2));
  auto values = co_await op;
  co_return std::get<0>(values) + std::get<1>(values) + std::get<3>(values);
}

TEST(sim_when_all, nested_with_failures_and_a_cancel) {
  for_each_seed(seeds, "4 workers", [] {
    runtime rt(std::size_t{4});
    lives all;
    auto handle = rt.spawn(tree(all, 3, 0));
    auto other = rt.spawn(tree(all, 3, 0));
    std::this_thread::sleep_for(20us);
    other.cancel();
    const std::string text = handle.get();
    EXPECT_NE(text.find('-'), std::string::npos);
    EXPECT_NE(text.find("place 26"), std::string::npos);
    try {
      (void)other.get();
    } catch (const run_cancelled&) {
    }
    EXPECT_EQ(all.begun, all.ended);
  });
}

task<int> leaf(lives& all, int index) {
  const life mine(all);
  if (index % 2 != 0) co_await yield();
  co_await sleep_for(10s);
  co_return index;
}

TEST(sim_when_all, a_cancel_from_outside_is_thrown_by_both_forms) {
  for_each_seed(seeds, "4 workers", [] {
    runtime rt(std::size_t{4});
    lives all;
    bool has_ended = false;
    auto fails_fast = [&]() -> task<> {
      auto op = when_all(leaf(all, 0), leaf(all, 1), leaf(all, 2), leaf(all, 3));
      co_await op;
      has_ended = true;
    };
    auto settles = [&]() -> task<> {
      auto op = when_all_settled(leaf(all, 0), leaf(all, 1), leaf(all, 2), leaf(all, 3));
      co_await op;
      has_ended = true;
    };
    auto one = rt.spawn(fails_fast());
    auto two = rt.spawn(settles());
    std::this_thread::sleep_for(30us);
    one.cancel();
    two.cancel();
    EXPECT_THROW(one.get(), run_cancelled);
    EXPECT_THROW(two.get(), run_cancelled);
    EXPECT_FALSE(has_ended);
    EXPECT_EQ(all.begun, all.ended);
  });
}

/// Answers a cancel with a value or an error, sooner or later.
task<int> swallows(lives& all, std::atomic<int>& slept_on, int index) {
  const life mine(all);
  if (index % 2 != 0) co_await yield();
  bool is_cancelled = false;
  try {
    co_await sleep_for(10s);
  } catch (const cancelled&) {
    is_cancelled = true;
  }
  if (!is_cancelled) ++slept_on;
  if (index % 3 == 0) co_await sleep_for(10us);
  if (index % 4 == 0) throw boom("instead");
  co_return index;
}

// As the cancel may meet any of them, and before any of them has begun.
TEST(sim_when_all, a_cancel_that_children_swallow_ends_both_forms) {
  for (const auto [workers, delay] :
       {std::pair(1u, 0us), std::pair(1u, 2us), std::pair(1u, 30us), std::pair(2u, 2us),
        std::pair(4u, 2us), std::pair(4u, 30us)}) {
    const std::string what =
        std::to_string(workers) + " workers, after " + std::to_string(delay.count()) + " us";
    for_each_seed(seeds / 3, what, [&, workers = workers, delay = delay] {
      runtime rt(std::size_t{workers});
      lives all;
      std::atomic<int> slept_on{0};
      int went_on = 0;
      auto fails_fast = [&]() -> task<> {
        auto op = when_all(swallows(all, slept_on, 1), swallows(all, slept_on, 2),
                           swallows(all, slept_on, 3));
        co_await op;
        ++went_on;
      };
      auto settles = [&]() -> task<> {
        std::vector<task<int>> work;
        for (int i = 0; i < 6; ++i) work.push_back(swallows(all, slept_on, i));
        auto op = when_all_settled(std::move(work));
        co_await op;
        ++went_on;
      };
      auto both = [&]() -> task<> {
        auto op = when_all_settled(fails_fast(), settles());
        co_await op;
        ++went_on;
      };
      std::vector<join_handle<void>> handles;
      handles.push_back(rt.spawn(fails_fast()));
      handles.push_back(rt.spawn(settles()));
      handles.push_back(rt.spawn(both()));
      std::this_thread::sleep_for(delay);
      for (auto& each : handles) each.cancel();
      for (auto& each : handles) EXPECT_THROW(each.get(), run_cancelled);
      EXPECT_EQ(went_on, 0);
      EXPECT_EQ(slept_on, 0);
      EXPECT_EQ(all.begun, all.ended);
    });
  }
}

}  // namespace
}  // namespace harrier::test
