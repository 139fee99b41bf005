// SPDX-License-Identifier: Apache-2.0
// fork_stack: children forked in a loop, joined from the last to the first, or dropped together.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace harrier::test {
namespace {

task<long> leaves(int depth) {
  if (depth == 0) co_return 1;
  fork_stack<long, 4> children;
  for (int i = 0; i < 4; ++i) {
    children.fork(leaves(depth - 1));
  }
  auto fifth = leaves(depth - 1);
  long sum = co_await fifth;
  while (!children.empty()) {
    auto join = children.join();
    sum += co_await join;
  }
  co_return sum;
}

TEST(fork_stack, sums_a_tree_on_any_number_of_workers) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{2}, std::size_t{8}}) {
    runtime rt(workers);
    EXPECT_EQ(rt.run(leaves(scaled(6, 4))), scaled(15'625, 625));
  }
}

TEST(fork_stack, on_a_lone_runner_works_without_thieves) { EXPECT_EQ(run(leaves(3)), 125); }

TEST(fork_stack, joins_the_latest_first_and_starts_nobody_before) {
  runtime rt(std::size_t{1});
  std::string order;
  auto child = [&](char name) -> task<> {
    order += name;
    co_return;
  };
  auto main = [&]() -> task<> {
    fork_stack<void, 3> children;
    EXPECT_TRUE(children.empty());
    children.fork(child('a'));
    children.fork(child('b'));
    children.fork(child('c'));
    EXPECT_EQ(children.size(), 3u);
    order += '-';
    while (!children.empty()) {
      auto join = children.join();
      co_await join;
    }
  };
  rt.run(main());
  EXPECT_EQ(order, "-cba");
}

TEST(fork_stack, one_too_many_throws_and_goes) {
  auto main = []() -> task<> {
    auto held = std::make_shared<int>(1);
    auto child = [](std::shared_ptr<int> kept) -> task<int> { co_return *kept; };
    fork_stack<int, 1> children;
    children.fork(child(held));
    EXPECT_THROW(children.fork(child(held)), std::length_error);
    EXPECT_EQ(held.use_count(), 2);
    auto join = children.join();
    const int value = co_await join;
    EXPECT_EQ(value, 1);
    EXPECT_EQ(held.use_count(), 1);
  };
  runtime rt(std::size_t{1});
  rt.run(main());
  run(main());
}

TEST(fork_stack, join_of_none_throws_invalid_task) {
  auto main = []() -> task<> {
    fork_stack<int, 2> children;
    auto join = children.join();
    EXPECT_THROW((void)join.operator co_await(), invalid_task);
    co_return;
  };
  runtime rt(std::size_t{1});
  rt.run(main());
}

TEST(fork_stack, an_error_at_a_join_drops_the_others_unstarted) {
  runtime rt(std::size_t{1});
  int started = 0;
  auto child = [&](bool fails) -> task<int> {
    ++started;
    if (fails) throw std::runtime_error("fails");
    co_return 1;
  };
  auto main = [&]() -> task<int> {
    fork_stack<int, 3> children;
    children.fork(child(false));
    children.fork(child(false));
    children.fork(child(true));
    auto join = children.join();
    co_return co_await join;
  };
  EXPECT_THROW(rt.run(main()), std::runtime_error);
  EXPECT_EQ(started, 1);
}

TEST(fork_stack, that_goes_takes_along_however_many_are_left) {
  auto main = [](int forks) -> task<> {
    fork_stack<int, 3> children;
    for (int i = 0; i < forks; ++i) {
      children.fork(give(i));
    }
    co_return;
  };
  runtime rt(std::size_t{1});
  for (int forks = 0; forks <= 3; ++forks) {
    rt.run(main(forks));
    run(main(forks));
    EXPECT_EQ(live_frames(), 0u) << forks;
  }
}

TEST(fork_stack, a_join_that_is_dropped_drops_its_child) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<> {
    fork_stack<int, 2> children;
    children.fork(give(1));
    children.fork(give(2));
    {
      auto dropped = children.join();
    }
    auto join = children.join();
    const int value = co_await join;
    EXPECT_EQ(value, 1);
  };
  rt.run(main());
}

}  // namespace
}  // namespace harrier::test
