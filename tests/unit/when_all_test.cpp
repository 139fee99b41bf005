// SPDX-License-Identifier: Apache-2.0
// when_all(): a tuple or a vector of results once every child has ended.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <memory>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <variant>
#include <vector>

namespace harrier::test {
namespace {

task<> nothing() { co_return; }

TEST(when_all, of_tasks_gives_a_tuple) {
  runtime rt(std::size_t{2});
  auto text = []() -> task<std::string> { co_return "two"; };
  auto main = [&]() -> task<> {
    auto op = when_all(give(1), text(), nothing());
    auto results = co_await op;
    static_assert(std::is_same_v<decltype(results), std::tuple<int, std::string, std::monostate>>);
    EXPECT_EQ(std::get<0>(results), 1);
    EXPECT_EQ(std::get<1>(results), "two");
  };
  rt.run(main());
}

TEST(when_all, of_a_vector_gives_a_vector_in_order) {
  runtime rt(std::size_t{4});
  auto main = []() -> task<> {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 1000; ++i) tasks.push_back(give(i));
    auto op = when_all(std::move(tasks));
    auto results = co_await op;
    EXPECT_EQ(results.size(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
  };
  rt.run(main());
}

TEST(when_all, of_void_tasks_gives_nothing) {
  runtime rt(std::size_t{2});
  std::atomic<int> ran{0};
  auto body = [&]() -> task<> {
    co_await yield();
    ran.fetch_add(1);
  };
  auto main = [&]() -> task<> {
    std::vector<task<>> tasks;
    for (int i = 0; i < 100; ++i) tasks.push_back(body());
    auto op = when_all(std::move(tasks));
    co_await op;
  };
  rt.run(main());
  EXPECT_EQ(ran.load(), 100);
}

TEST(when_all, of_nothing_is_ready) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<std::size_t> {
    auto op = when_all(std::vector<task<int>>());
    auto results = co_await op;
    co_return results.size();
  };
  EXPECT_EQ(rt.run(main()), 0u);
}

TEST(when_all, carries_move_only_results) {
  runtime rt(std::size_t{2});
  auto make = [](int i) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(i); };
  auto main = [&]() -> task<int> {
    auto op = when_all(make(1), make(2));
    auto results = co_await op;
    co_return *std::get<0>(results) * 10 + *std::get<1>(results);
  };
  EXPECT_EQ(rt.run(main()), 12);
}

TEST(when_all, waits_at_the_same_time) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  auto main = []() -> task<> {
    auto op = when_all(sleep_then(30ms, 1), sleep_then(20ms, 2), sleep_then(10ms, 3));
    auto results = co_await op;
    EXPECT_EQ(std::get<2>(results), 3);
  };
  rt.run(main());
  EXPECT_EQ(time.now(), time_point{} + 30ms);
}

TEST(when_all, throws_an_error_after_all_children_have_ended) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  std::atomic<bool> slow_ended{false};
  auto slow = [&]() -> task<> {
    try {
      co_await sleep_for(50ms);
    } catch (const cancelled&) {
      slow_ended = true;
      throw;
    }
    slow_ended = true;
  };
  auto main = [&]() -> task<bool> {
    bool thrown = false;
    try {
      auto op = when_all(sleep_then_throw(1ms, "early"), slow());
      co_await op;
    } catch (const boom&) {
      thrown = true;
    }
    EXPECT_TRUE(slow_ended);
    co_return thrown;
  };
  EXPECT_TRUE(rt.run(main()));
}

TEST(when_all, on_a_lone_runner) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto op = when_all(sleep_then(3ms, 1), sleep_then(2ms, 2));
    auto results = co_await op;
    co_return std::get<0>(results) + std::get<1>(results);
  };
  EXPECT_EQ(r.run(main()), 3);
  EXPECT_EQ(time.now(), time_point{} + 3ms);
}

TEST(when_all, nested) {
  runtime rt(std::size_t{4});
  std::function<task<long>(int)> tree = [&tree](int depth) -> task<long> {
    if (depth == 0) co_return 1;
    std::vector<task<long>> children;
    for (int i = 0; i < 4; ++i) children.push_back(tree(depth - 1));
    auto op = when_all(std::move(children));
    const std::vector<long> results = co_await op;
    long sum = 0;
    for (const long value : results) sum += value;
    co_return sum;
  };
  EXPECT_EQ(rt.run(tree(6)), 4096);
}

TEST(when_all, dropped_unawaited_frees_its_children) {
  bool started = false;
  {
    auto op = when_all(hold(tracked(), started), hold(tracked(), started));
    (void)op;
  }
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(when_all, very_many_that_are_ready_need_no_deep_stack) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<> {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 200'000; ++i) tasks.push_back(give(1));
    auto op = when_all(std::move(tasks));
    auto results = co_await op;
    EXPECT_EQ(std::accumulate(results.begin(), results.end(), 0), 200'000);
  };
  rt.run(main());
}

template <class Error, class T>
task<> throws(task<T> body) {
  try {
    co_await body;
    ADD_FAILURE();
  } catch (const Error&) {
  }
}

TEST(when_all, refuses_an_invalid_task_and_frees_the_others) {
  runtime rt(std::size_t{2});
  auto held = std::make_shared<int>(1);
  auto holds = [](std::shared_ptr<int> it) -> task<int> { co_return *it; };
  auto main = [&]() -> task<> {
    auto used = give(1);
    co_await used;
    auto of_tasks = when_all(holds(held), std::move(used), holds(held));
    EXPECT_EQ(held.use_count(), 3);
    auto of_tasks_thrown = throws<invalid_task>(std::move(of_tasks));
    co_await of_tasks_thrown;
    std::vector<task<int>> tasks;
    tasks.push_back(holds(held));
    tasks.push_back(std::move(used));
    auto of_vector = when_all(std::move(tasks));
    auto of_vector_thrown = throws<invalid_task>(std::move(of_vector));
    co_await of_vector_thrown;
  };
  rt.run(main());
  EXPECT_EQ(held.use_count(), 1);
}

/// A value that can be moved so often, and then throws.
struct weary {
  explicit weary(int so_often) : moves_left(so_often) {}
  weary(weary&& other) : moves_left(other.moves_left - 1) {
    if (moves_left < 0) throw std::range_error("weary");
  }
  int moves_left;
};

TEST(when_all, throws_what_the_move_of_a_value_threw) {
  runtime rt(std::size_t{2});
  // Once, into the frame.
  auto body = [](int so_often) -> task<weary> { co_return weary(so_often); };
  auto main = [&]() -> task<> {
    auto thrown = throws<std::range_error>(when_all(body(9), body(1), body(9)));
    co_await thrown;
    auto settled = when_all_settled(body(1), body(9));
    const auto outcomes = co_await settled;
    EXPECT_TRUE(std::get<0>(outcomes).has_failed());
    EXPECT_TRUE(std::get<1>(outcomes).has_value());
  };
  rt.run(main());
}

TEST(when_all, of_children_that_ask_for_their_task) {
  runtime rt(std::size_t{1});
  auto nested = []() -> task<int> {
    auto op = when_all(give(1), give(2));
    const auto both = co_await op;
    co_await yield();
    co_return std::get<0>(both) + std::get<1>(both);
  };
  auto main = [&]() -> task<> {
    auto op = when_all(nested(), nested(), nested());
    const auto sums = co_await op;
    EXPECT_EQ(sums, std::tuple(3, 3, 3));
  };
  rt.run(main());
}

// The cancel meets a child, which is in the parent's task: it is no outcome of the child's.
TEST(when_all_settled, throws_a_cancel_that_was_due_when_it_began) {
  runtime rt(std::size_t{1});
  runner alone;
  bool thrown = false;
  auto main = [&]() -> task<> {
    const task_ref self = co_await current_task();
    self.cancel();
    auto op = when_all_settled(sleep_then(1ms, 1), sleep_then(1ms, 2));
    try {
      co_await op;
    } catch (const cancelled&) {
      thrown = true;
      throw;
    }
  };
  EXPECT_THROW(rt.run(main()), run_cancelled);
  EXPECT_TRUE(std::exchange(thrown, false)) << "on a worker";
  EXPECT_THROW(alone.run(main()), run_cancelled);
  EXPECT_TRUE(thrown) << "on a lone runner";
}

// --- A cancel from outside that a child swallows

/// What has become of the children of a group that is cancelled from outside.
struct answers {
  tally begun;
  std::atomic<int> cancels{0};
  std::atomic<int> slept_on{0};
};

/// Sleeps; answers a cancel with a value, or with an error.
task<int> swallows(answers& all, bool with_an_error) {
  all.begun.add();
  bool is_cancelled = false;
  try {
    co_await sleep_for(1min);
  } catch (const cancelled&) {
    is_cancelled = true;
  }
  if (!is_cancelled) {
    ++all.slept_on;
    co_return 2;
  }
  ++all.cancels;
  co_await sleep_for(1ms);  // its cleanup
  if (with_an_error) throw boom("instead of the cancel");
  co_return 1;
}

std::vector<task<int>> so_many(int count, answers& all, bool with_errors) {
  std::vector<task<int>> work;
  for (int i = 0; i < count; ++i) work.push_back(swallows(all, with_errors));
  return work;
}

/// Awaits `op`, which must not give anything.
template <class Op>
task<> gives_nothing(Op op, std::uint32_t& cancels_left) {
  const task_ref self = co_await current_task();
  try {
    co_await op;
    ADD_FAILURE() << "the group has swallowed the cancel";
  } catch (const cancelled&) {
    cancels_left = self.cancelling();
    throw;
  }
}

constexpr int children = 5;
constexpr std::size_t no_worker = 0;

/// On so many workers, or on a lone runner.
class swallowed_cancel : public testing::TestWithParam<std::size_t> {
 protected:
  /// Cancels `op` once its children have begun, each of them.
  template <class Op>
  void cancel_when_begun(Op op) {
    std::uint32_t cancels_left = 0;
    auto work = gives_nothing(std::move(op), cancels_left);
    if (GetParam() == no_worker) {
      error_log log;
      runner_options options;
      options.exception_handler = std::ref(log);
      runner alone(options);
      auto handle = alone.loop().spawn(std::move(work));
      alone.run(cancel_on_a_loop(handle));
      EXPECT_THROW(handle.get(), run_cancelled);
      EXPECT_EQ(log.size(), 0u) << "what they throw goes with the group";
    } else {
      runtime rt(GetParam());
      auto handle = rt.spawn(std::move(work));
      all_.begun.wait_for(children);
      handle.cancel();
      EXPECT_THROW(handle.get(), run_cancelled);
    }
    EXPECT_EQ(cancels_left, 1u) << "it is the one from outside";
    EXPECT_EQ(all_.cancels, children) << "each is cancelled";
    EXPECT_EQ(all_.slept_on, 0);
  }
  answers all_;

 private:
  task<> cancel_on_a_loop(join_handle<void>& handle) {
    while (all_.begun.value() != children) co_await yield();
    handle.cancel();
    while (!handle.done()) co_await yield();
  }
};

TEST_P(swallowed_cancel, with_values_ends_when_all) {
  cancel_when_begun(when_all(so_many(children, all_, false)));
}
TEST_P(swallowed_cancel, with_values_ends_when_all_settled) {
  cancel_when_begun(when_all_settled(so_many(children, all_, false)));
}
TEST_P(swallowed_cancel, with_errors_ends_when_all_settled) {
  cancel_when_begun(when_all_settled(so_many(children, all_, true)));
}

INSTANTIATE_TEST_SUITE_P(workers, swallowed_cancel, testing::Values(no_worker, 1, 2, 4));

// One worker joins the last child first, in the parent's task; the others are where they were pushed.
TEST(when_all_settled, starts_nobody_after_a_cancel_that_a_child_swallowed) {
  runtime rt(std::size_t{1});
  bool has_started = false;
  auto cancels_itself = []() -> task<int> {
    const task_ref self = co_await current_task();
    self.cancel();
    try {
      co_await yield();
    } catch (const cancelled&) {
    }
    co_return 1;
  };
  auto starts = [&]() -> task<int> {
    has_started = true;
    co_return 2;
  };
  std::uint32_t cancels_left = 0;
  auto op = when_all_settled(starts(), starts(), cancels_itself());
  auto main = gives_nothing(std::move(op), cancels_left);
  EXPECT_THROW(rt.run(std::move(main)), run_cancelled);
  EXPECT_FALSE(has_started);
  EXPECT_EQ(cancels_left, 1u);
}

// The last to be joined: nobody is left whom the cancel could end, but it is thrown all the same.
TEST(when_all_settled, throws_a_cancel_that_its_only_child_swallowed) {
  runtime rt(std::size_t{1});
  answers all;
  std::uint32_t cancels_left = 0;
  auto op = when_all_settled(swallows(all, false));
  auto handle = rt.spawn(gives_nothing(std::move(op), cancels_left));
  all.begun.wait_for(1);
  handle.cancel();
  EXPECT_THROW(handle.get(), run_cancelled);
  EXPECT_EQ(all.cancels, 1);
  EXPECT_EQ(cancels_left, 1u);
}

// Who takes a cancel back means that the task goes on.
TEST(when_all_settled, goes_on_after_a_cancel_that_was_taken_back) {
  runtime rt(std::size_t{1});
  auto takes_it_back = []() -> task<int> {
    const task_ref self = co_await current_task();
    self.cancel();
    try {
      co_await yield();
    } catch (const cancelled&) {
      self.uncancel();
    }
    co_return 1;
  };
  auto main = [&]() -> task<> {
    auto op = when_all_settled(give(2), takes_it_back());
    const auto outcomes = co_await op;
    EXPECT_TRUE(std::get<0>(outcomes).has_value());
    EXPECT_TRUE(std::get<1>(outcomes).has_value());
  };
  rt.run(main());
}

// A cancel that was heard before the group began does not concern it.
TEST(when_all_settled, cleans_up_in_a_task_that_is_being_cancelled) {
  runtime rt(std::size_t{2});
  tally begun;
  bool cleaned_up = false;
  auto main = [&]() -> task<> {
    try {
      begun.add();
      co_await sleep_for(1min);
    } catch (const cancelled&) {
    }
    auto op = when_all_settled(sleep_then(1ms, 1), sleep_then(1ms, 2), give(3));
    const auto outcomes = co_await op;
    cleaned_up = std::get<0>(outcomes).has_value() && std::get<1>(outcomes).has_value();
  };
  auto handle = rt.spawn(main());
  begun.wait_for(1);
  handle.cancel();
  handle.get();
  EXPECT_TRUE(cleaned_up);
}

}  // namespace
}  // namespace harrier::test
