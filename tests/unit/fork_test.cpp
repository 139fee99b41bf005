// SPDX-License-Identifier: Apache-2.0
// fork(): children on the slot's deque, stolen or not, joined with their results and errors.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <functional>
#include <memory>

namespace harrier::test {
namespace {

task<long> fib(int n) {
  if (n < 2) co_return n;
  auto left = co_await fork(fib(n - 1));
  auto right_task = fib(n - 2);
  const long right = co_await right_task;
  const long value = co_await left;
  co_return value + right;
}

task<long> fib_of_two_forks(int n) {
  if (n < 2) co_return n;
  auto left = co_await fork(fib_of_two_forks(n - 1));
  auto right = co_await fork(fib_of_two_forks(n - 2));
  const long b = co_await right;
  const long a = co_await left;
  co_return a + b;
}

TEST(fork, fib_on_one_worker_is_never_stolen) {
  runtime rt(std::size_t{1});
  EXPECT_EQ(rt.run(fib(20)), 6765);
  EXPECT_EQ(rt.metrics().steals_children, 0u);
}

TEST(fork, fib_on_several_workers) {
  for (const std::size_t workers : {std::size_t{2}, std::size_t{4}, std::size_t{16}}) {
    runtime rt(workers);
    EXPECT_EQ(rt.run(fib(scaled(24, 18))), scaled(46'368, 2584));
    EXPECT_EQ(rt.run(fib_of_two_forks(scaled(20, 15))), scaled(6765, 610));
  }
}

// The child says that it runs on another worker while its parent is held up: it was stolen.
TEST(fork, a_child_is_stolen_while_its_parent_is_busy) {
  runtime rt(std::size_t{2});
  std::atomic<bool> child_ran{false};
  auto child = [&]() -> task<std::size_t> {
    child_ran = true;
    child_ran.notify_all();
    co_return this_worker::id().value();
  };
  auto main = [&]() -> task<bool> {
    auto handle = co_await fork(child());
    const std::size_t mine = this_worker::id().value();
    child_ran.wait(false);  // blocks this worker: only a thief can run the child
    const std::size_t theirs = co_await handle;
    co_return mine != theirs;
  };
  EXPECT_TRUE(rt.run(main()));
  EXPECT_GE(rt.metrics().steals_children, 1u);
}

TEST(fork, on_a_lone_runner_works_without_thieves) { EXPECT_EQ(run(fib(15)), 610); }

TEST(fork, child_does_not_start_before_it_is_joined_if_nobody_steals_it) {
  runtime rt(std::size_t{1});
  std::string order;
  auto child = [&]() -> task<> {
    order += 'c';
    co_return;
  };
  auto main = [&]() -> task<> {
    auto handle = co_await fork(child());
    order += 'm';
    co_await handle;
    order += 'e';
  };
  rt.run(main());
  EXPECT_EQ(order, "mce");
}

TEST(fork, second_join_of_a_child_throws_invalid_task) {
  auto main = []() -> task<> {
    auto child = co_await fork(give(7));
    const int value = co_await child;
    EXPECT_EQ(value, 7);
    EXPECT_THROW((void)child.operator co_await(), invalid_task);
  };
  runtime rt(std::size_t{1});
  rt.run(main());
  run(main());
}

TEST(fork, frame_of_a_child_goes_with_its_join) {
  runtime rt(std::size_t{1});
  auto held = std::make_shared<int>(1);
  auto child = [](std::shared_ptr<int> kept) -> task<int> { co_return *kept; };
  auto main = [&]() -> task<> {
    auto handle = co_await fork(child(held));
    EXPECT_EQ(held.use_count(), 2);
    const int value = co_await handle;
    EXPECT_EQ(value, 1);
    EXPECT_EQ(held.use_count(), 1);
  };
  rt.run(main());
}

// Which task a coroutine belongs to is found when it first suspends, through all that await it.
TEST(fork, suspension_far_below_a_fork_belongs_to_the_task_above) {
  runtime rt(std::size_t{1});
  std::function<task<int>(int)> down = [&down](int depth) -> task<int> {
    if (depth == 0) {
      co_await yield();
      co_return 1;
    }
    auto below = co_await fork(down(depth - 1));
    const int value = co_await below;
    co_await yield();
    co_return value + 1;
  };
  const std::uint64_t before = rt.metrics().tasks_spawned;
  EXPECT_EQ(rt.run(down(1000)), 1001);
  EXPECT_EQ(rt.metrics().tasks_spawned - before, 1u);
}

TEST(fork, children_joined_out_of_order) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto child = [](int i) -> task<int> {
      if (i % 3 == 0) co_await yield();
      co_return i;
    };
    auto main = [&]() -> task<int> {
      auto a = co_await fork(child(1));
      auto b = co_await fork(child(20));
      auto c = co_await fork(child(300));
      const int x = co_await a;  // the first forked first: the reverse of the natural order
      const int z = co_await c;
      const int y = co_await b;
      co_return x + y + z;
    };
    EXPECT_EQ(rt.run(main()), 321);
  }
}

TEST(fork, exception_of_a_child_is_thrown_where_it_is_joined) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto main = []() -> task<std::string> {
      auto good = co_await fork(give(1));
      auto bad = co_await fork(throw_boom("child"));
      std::string text;
      try {
        (void)co_await bad;
      } catch (const boom& e) {
        text = e.what();
      }
      const int value = co_await good;
      EXPECT_EQ(value, 1);
      co_return text;
    };
    EXPECT_EQ(rt.run(main()), "child");
  }
}

TEST(fork, exceptions_deep_in_a_forked_tree_reach_the_root) {
  runtime rt(std::size_t{4});
  std::function<task<int>(int)> tree = [&tree](int depth) -> task<int> {
    if (depth == 0) throw boom("leaf");
    auto left = co_await fork(tree(depth - 1));
    auto right = co_await fork(tree(depth - 1));
    int failures = 0;
    try {
      const int r = co_await right;
      failures += r;
    } catch (const boom&) {
      ++failures;
    }
    try {
      const int l = co_await left;
      failures += l;
    } catch (const boom&) {
      ++failures;
    }
    co_return failures;
  };
  EXPECT_EQ(rt.run(tree(10)), 1024);
}

TEST(fork, children_that_suspend) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  auto main = []() -> task<int> {
    auto a = co_await fork(sleep_then(10ms, 1));
    auto b = co_await fork(sleep_then(5ms, 2));
    const int y = co_await b;
    const int x = co_await a;
    co_return x * 10 + y;
  };
  EXPECT_EQ(rt.run(main()), 12);
}

TEST(fork, gives_move_only_values_references_and_nothing) {
  runtime rt(std::size_t{2});
  int object = 0;
  auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); };
  auto refer = [&]() -> task<int&> { co_return object; };
  std::atomic<bool> ran{false};
  auto nothing = [&]() -> task<> {
    ran = true;
    co_return;
  };
  auto main = [&]() -> task<> {
    auto a = co_await fork(make());
    auto b = co_await fork(refer());
    auto c = co_await fork(nothing());
    co_await c;
    int& reference = co_await b;
    const std::unique_ptr<int> value = co_await a;
    EXPECT_EQ(&reference, &object);
    EXPECT_EQ(*value, 4);
    EXPECT_TRUE(ran);
  };
  rt.run(main());
}

TEST(fork, a_million_children_of_one_parent_in_turn) {
  runtime rt(std::size_t{2});
  constexpr int n = scaled(1'000'000, 100'000);
  auto main = []() -> task<long> {
    long sum = 0;
    for (int i = 0; i < n; ++i) {
      auto handle = co_await fork(give(1));
      const int value = co_await handle;
      sum += value;
    }
    co_return sum;
  };
  EXPECT_EQ(rt.run(main()), n);
}

TEST(fork, many_children_at_once) {
  runtime rt(std::size_t{4});
  auto child = [](int i) -> task<int> {
    if (i % 16 == 0) co_await yield();
    co_return i;
  };
  auto main = [&]() -> task<long> {
    std::vector<forked<int>> handles;
    for (int i = 0; i < 10'000; ++i) {
      auto handle = co_await fork(child(i));
      handles.push_back(std::move(handle));
    }
    long sum = 0;
    while (!handles.empty()) {
      const int value = co_await handles.back();
      sum += value;
      handles.pop_back();
    }
    co_return sum;
  };
  EXPECT_EQ(rt.run(main()), 9999L * 10'000 / 2);
}

TEST(fork, nested_a_hundred_thousand_deep_keeps_the_stack_flat) {
  runtime rt(std::size_t{2});
  std::function<task<int>(int)> chain = [&chain](int depth) -> task<int> {
    if (depth == 0) co_return 0;
    auto handle = co_await fork(chain(depth - 1));
    const int below = co_await handle;
    co_return below + 1;
  };
  EXPECT_EQ(rt.run(chain(100'000)), 100'000);
}

TEST(fork, cancelled_parent_cancels_children_that_wait) {
  runtime rt(std::size_t{2});
  tally started;
  std::atomic<int> cancels{0};
  auto child = [&]() -> task<> {
    started.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cancels;
      throw;
    }
  };
  auto main = [&]() -> task<> {
    auto a = co_await fork(child());
    co_await a;
  };
  auto handle = rt.spawn(main());
  started.wait_for(1);
  handle.cancel();
  EXPECT_THROW(handle.get(), run_cancelled);
  EXPECT_EQ(cancels.load(), 1);
}

// The parent keeps its worker busy until the other one has the child.
TEST(fork, cancelled_parent_cancels_a_stolen_child_that_waits) {
  for (int round = 0; round < 50; ++round) {
    runtime rt(std::size_t{2});
    tally started;
    std::atomic<int> cancels{0};
    auto child = [&]() -> task<> {
      started.add();
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
        ++cancels;
        throw;
      }
    };
    auto main = [&]() -> task<> {
      auto a = co_await fork(child());
      started.wait_for(1);
      co_await a;
    };
    auto handle = rt.spawn(main());
    started.wait_for(1);
    handle.cancel();
    EXPECT_THROW(handle.get(), run_cancelled);
    EXPECT_EQ(cancels.load(), 1);
  }
}

TEST(fork, dropped_handle_cancels_a_stolen_child_that_waits) {
  runtime rt(std::size_t{2});
  tally started;
  std::atomic<int> cancels{0};
  auto child = [&]() -> task<> {
    started.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      ++cancels;
      throw;
    }
  };
  auto main = [&]() -> task<> {
    auto a = co_await fork(child());
    started.wait_for(1);
  };
  rt.run(main());
  EXPECT_EQ(cancels.load(), 1);
}

// A kernel without membarrier: both sides of each asymmetric barrier pay for it themselves.
TEST(fork, works_without_membarrier) {
  runtime rt(std::size_t{4});  // it starts no thread yet
  const bool had = detail::has_membarrier.exchange(false);
  std::function<task<long>(int)> fib = [&fib](int n) -> task<long> {
    if (n < 2) co_return n;
    auto first = co_await fork(fib(n - 1));
    auto second = fib(n - 2);
    const long b = co_await second;
    if (n % 5 == 0) co_await yield();
    const long a = co_await first;
    co_return a + b;
  };
  EXPECT_EQ(rt.run(fib(20)), 6765);
  auto body = [](std::uint64_t i) -> task<std::uint64_t> {
    co_await yield();
    co_return i;
  };
  auto b = rt.dispatch(10'000, body);
  EXPECT_EQ(b.get()[9'999], 9'999u);
  rt.stop();
  detail::has_membarrier.store(had);
}

}  // namespace
}  // namespace harrier::test
