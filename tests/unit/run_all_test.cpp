// SPDX-License-Identifier: Apache-2.0
// runner::run_all(): many tasks in one entry into the loop.
#include "support.hpp"

#include <memory>

namespace harrier::test {
namespace {

TEST(run_all, gives_the_results_in_the_order_of_the_tasks) {
  virtual_clock time;
  runner r(on(time));
  std::vector<task<int>> tasks;
  for (int i = 0; i < 100; ++i) {
    tasks.push_back(sleep_then(std::chrono::milliseconds(100 - i), i));
  }
  const std::vector<int> results = r.run_all(std::move(tasks));
  ASSERT_EQ(results.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(time.now(), time_point{} + 100ms) << "they slept at the same time";
}

TEST(run_all, of_nothing_returns_nothing) {
  virtual_clock time;
  runner r(on(time));
  EXPECT_TRUE(r.run_all(std::vector<task<int>>()).empty());
  r.run_all(std::vector<task<>>());
}

TEST(run_all, of_void_tasks_runs_them_all) {
  virtual_clock time;
  runner r(on(time));
  int ran = 0;
  auto body = [&]() -> task<> {
    ++ran;
    co_return;
  };
  std::vector<task<>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(body());
  r.run_all(std::move(tasks));
  EXPECT_EQ(ran, 10);
}

TEST(run_all, carries_move_only_results) {
  virtual_clock time;
  runner r(on(time));
  auto make = [](int i) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(i); };
  std::vector<task<std::unique_ptr<int>>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(make(i));
  const auto results = r.run_all(std::move(tasks));
  ASSERT_EQ(results.size(), 10u);
  EXPECT_EQ(*results[9], 9);
}

TEST(run_all, starts_the_tasks_in_order) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto body = [&](char name) -> task<> {
    order += name;
    co_return;
  };
  std::vector<task<>> tasks;
  for (const char name : std::string("abcdef")) tasks.push_back(body(name));
  r.run_all(std::move(tasks));
  EXPECT_EQ(order, "abcdef");
}

TEST(run_all, rethrows_the_first_error_after_all_have_ended) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  bool last_finished = false;
  auto slow = [&]() -> task<> {
    co_await sleep_for(10ms);
    last_finished = true;
  };
  std::vector<task<>> tasks;
  tasks.push_back(sleep_then_throw(5ms, "second in time"));
  tasks.push_back(sleep_then_throw(1ms, "first in time"));
  tasks.push_back(slow());
  std::string text;
  try {
    r.run_all(std::move(tasks));
  } catch (const boom& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "second in time") << "the first by position";
  EXPECT_TRUE(last_finished);
  EXPECT_EQ(time.now(), time_point{} + 10ms);
  EXPECT_EQ(r.run(give(1)), 1);
}

TEST(run_all, with_an_empty_task_among_them_starts_nothing) {
  virtual_clock time;
  runner r(on(time));
  bool started = false;
  auto body = [&]() -> task<> {
    started = true;
    co_return;
  };
  std::vector<task<>> tasks;
  tasks.push_back(body());
  tasks.push_back(body());
  const task<> taken = std::move(tasks[1]);
  EXPECT_THROW(r.run_all(std::move(tasks)), invalid_task);
  EXPECT_FALSE(started);
}

TEST(run_all, a_hundred_thousand_tasks_in_one_entry) {
  virtual_clock time;
  runner r(on(time));
  std::vector<task<int>> tasks;
  for (int i = 0; i < 100'000; ++i) tasks.push_back(give(i));
  const std::vector<int> results = r.run_all(std::move(tasks));
  long sum = 0;
  for (const int value : results) sum += value;
  EXPECT_EQ(sum, 99'999L * 100'000 / 2);
}

}  // namespace
}  // namespace harrier::test
