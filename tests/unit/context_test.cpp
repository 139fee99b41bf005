// SPDX-License-Identifier: Apache-2.0
// Context variables: what a task sees and sets, across runs, spawns, forks, batches and offloads.
#include <harrier/parallel.hpp>
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace harrier::test {
namespace {

// Made by the first test that uses them: before, the program has no variable, and pays nothing.
const context_var<int>& number() {
  static const context_var<int> variable("number", 0);
  return variable;
}
const context_var<std::string>& text() {
  static const context_var<std::string> variable("text");
  return variable;
}
const context_var<std::shared_ptr<tracked>>& object() {
  static const context_var<std::shared_ptr<tracked>> variable("object", nullptr);
  return variable;
}

int in_a_plain_function() { return number().get(); }

task<int> read_number() { co_return in_a_plain_function(); }

task<> set_number(int value) {
  number().set(value);
  co_return;
}

task<int> add_to_number(int more) {
  co_await yield();
  number().set(number().get() + more);
  co_await yield();
  co_return number().get();
}

runtime_options workers(std::size_t count) {
  runtime_options options;
  options.workers = count;
  return options;
}

TEST(context, a_variable_has_its_default_until_it_is_set) {
  auto body = []() -> task<> {
    EXPECT_EQ(number().get(), 0);
    EXPECT_EQ(number().get_if_set(), std::nullopt);
    EXPECT_THROW(text().get(), no_context_value);
    number().set(1);
    text().set("one");
    EXPECT_EQ(in_a_plain_function(), 1);
    EXPECT_EQ(text().get(), "one");
    EXPECT_EQ(number().get_if_set(), std::optional(1));
    co_return;
  };
  run(body());
}

TEST(context, reset_puts_back_what_was_there_before) {
  auto body = []() -> task<> {
    auto first = number().set(1);
    auto second = number().set(2);
    EXPECT_EQ(number().get(), 2);
    number().reset(std::move(second));
    EXPECT_EQ(number().get(), 1);
    number().reset(std::move(first));
    EXPECT_EQ(number().get_if_set(), std::nullopt);
    co_return;
  };
  run(body());
}

TEST(context, a_token_counts_once_and_for_its_variable) {
  const context_var<int> other("other", 0);
  auto body = [](const context_var<int>& another) -> task<> {
    auto token = number().set(1);
    EXPECT_THROW(another.reset(std::move(token)), invalid_context_token);
    auto used = number().set(2);
    number().reset(std::move(used));
    EXPECT_THROW(number().reset(std::move(used)), invalid_context_token);
    co_return;
  };
  run(body(other));
}

TEST(context, a_variable_that_is_gone_is_never_mistaken_for_another) {
  auto body = []() -> task<> {
    {
      const context_var<std::string> gone("gone");
      gone.set("gone");
    }
    const context_var<int> fresh("fresh", 7);
    EXPECT_EQ(fresh.get(), 7);
    co_return;
  };
  run(body());
}

TEST(context, values_go_with_the_last_task_that_has_them) {
  auto body = []() -> task<> {
    object().set(std::make_shared<tracked>());
    object().set(std::make_shared<tracked>());
    EXPECT_EQ(tracked::alive(), 1);
    auto child = spawn(sleep_then(1ms, 1));
    object().set(nullptr);
    EXPECT_EQ(tracked::alive(), 1);  // the child has it still
    co_await child;
    child.detach();
    co_await yield();
    EXPECT_EQ(tracked::alive(), 0);
  };
  virtual_clock time;
  runner(on(time)).run(body());
}

// 2.10: a spawned task has a copy, an awaited child shares.
TEST(context, an_awaited_child_shares_and_a_spawned_one_copies) {
  auto body = []() -> task<> {
    number().set(1);
    auto child = set_number(2);
    co_await child;
    EXPECT_EQ(number().get(), 2);
    auto spawned = spawn(add_to_number(10));
    number().set(5);  // too late for the task that was spawned before
    EXPECT_EQ(co_await spawned, 12);
    EXPECT_EQ(number().get(), 5);
  };
  run(body());
}

TEST(context, a_generator_shares_with_the_task_that_awaits) {
  auto make = []() -> async_generator<int> {
    for (;;) {
      co_await yield();
      number().set(number().get() + 1);
      co_yield number().get();
    }
  };
  auto body = [](async_generator<int> numbers) -> task<> {
    number().set(10);
    EXPECT_EQ(co_await numbers.next(), std::optional(11));
    EXPECT_EQ(number().get(), 11);
    number().set(20);
    EXPECT_EQ(co_await numbers.next(), std::optional(21));
  };
  run(body(make()));
}

// R91, R23
TEST(context, what_one_run_sets_the_next_run_sees) {
  runner loop;
  loop.run(set_number(1));
  EXPECT_EQ(loop.run(add_to_number(1)), 2);
  EXPECT_EQ(loop.run(read_number()), 2);
  EXPECT_EQ(number().get_if_set(loop.context()), std::optional(2));
}

// R90, R92
TEST(context, a_runner_starts_with_what_the_thread_had_when_its_loop_was_made) {
  runner loop;
  auto token = number().set(7);
  EXPECT_EQ(loop.run(read_number()), 7);
  number().set(8);  // after the snapshot
  EXPECT_EQ(loop.run(add_to_number(1)), 8);
  EXPECT_EQ(number().get(), 8);  // nothing leaked out
  number().reset(std::move(token));
  EXPECT_EQ(loop.run(read_number()), 8);
}

// R93
TEST(context, a_run_in_another_context_leaves_the_runners_own) {
  runner loop;
  loop.run(set_number(1));
  const context other;
  EXPECT_EQ(loop.run(add_to_number(5), other), 5);
  EXPECT_EQ(loop.run(read_number(), other), 5);
  EXPECT_EQ(loop.run(read_number()), 1);
}

TEST(context, a_main_that_goes_on_after_a_stop_keeps_its_context) {
  auto stopped = []() -> task<> {
    number().set(1);
    this_loop().stop();
    co_await yield();
    EXPECT_EQ(number().get(), 1);
  };
  runner loop;
  EXPECT_THROW(loop.run(stopped()), loop_stopped);
  EXPECT_EQ(loop.run(read_number()), 1);
}

TEST(context, tasks_may_share_one_context) {
  auto body = []() -> task<> {
    const context shared;
    for (int n = 1; n <= 3; ++n) {
      auto work = spawn(add_to_number(1), shared);
      EXPECT_EQ(co_await work, n);
    }
    EXPECT_EQ(number().get(), 0);
    EXPECT_EQ(number().get_if_set(shared), std::optional(3));
    const context copy = shared.copy();
    auto work = spawn(add_to_number(1), copy);
    co_await work;
    EXPECT_EQ(number().get_if_set(shared), std::optional(3));
  };
  run(body());
}

TEST(context, ordinary_code_runs_in_a_context_for_the_time_of_a_call) {
  const context other;
  EXPECT_EQ(other.run([] {
    number().set(3);
    return number().get();
  }),
            3);
  EXPECT_EQ(number().get(), 0);
  EXPECT_THROW(other.run([] { throw boom(std::to_string(number().get())); }), boom);
  EXPECT_EQ(number().get(), 0);
  EXPECT_EQ(number().get_if_set(other), std::optional(3));
}

// L12
TEST(context, a_callback_runs_in_a_copy_of_where_it_was_registered) {
  static int seen;
  seen = 0;
  auto body = []() -> task<> {
    number().set(4);
    this_loop().call_soon([] {
      seen = number().get();
      number().set(99);
    });
    number().set(5);
    co_await yield();
    EXPECT_EQ(number().get(), 5);
  };
  run(body());
  EXPECT_EQ(seen, 4);
}

TEST(context, a_cancel_is_caught_in_the_tasks_own_context) {
  static int seen;
  seen = 0;
  auto work = []() -> task<> {
    number().set(6);
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      seen = number().get();
    }
  };
  auto body = [](task<> waiting) -> task<> {
    auto handle = spawn(std::move(waiting));
    co_await yield();
    handle.cancel();
    co_await handle;
    EXPECT_EQ(number().get(), 0);
  };
  virtual_clock time;
  runner(on(time)).run(body(work()));
  EXPECT_EQ(seen, 6);
}

// Whether a child is run in place or was stolen must not show.
TEST(context, forked_children_have_copies_wherever_they_run) {
  auto child = [](int more) -> task<int> {
    const int inherited = number().get();
    number().set(inherited + more);
    co_await yield();
    co_return number().get();
  };
  auto body = [child]() -> task<> {
    for (int round = 0; round < 50; ++round) {
      number().set(round);
      auto first = co_await fork(child(100));
      number().set(-1);
      auto second = co_await fork(child(1000));
      EXPECT_EQ(co_await second, 999);
      EXPECT_EQ(number().get(), -1);
      EXPECT_EQ(co_await first, round + 100);
      EXPECT_EQ(number().get(), -1);
    }
  };
  run(body());
  runtime pool(workers(3));
  pool.run(body());
}

TEST(context, a_forked_child_that_throws_leaves_the_parents_context) {
  auto child = []() -> task<int&> {
    number().set(1);
    throw boom();
    co_return *static_cast<int*>(nullptr);
  };
  auto body = [child]() -> task<> {
    number().set(5);
    auto forked_child = co_await fork(child());
    bool thrown = false;
    try {
      co_await forked_child;
    } catch (const boom&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    EXPECT_EQ(number().get(), 5);
  };
  run(body());
}

TEST(context, the_items_of_a_batch_start_with_the_dispatchers_values) {
  constexpr std::uint64_t many = scaled(2000u, 500u);
  runtime pool(workers(3));
  auto token = number().set(70);
  auto item = [](std::uint64_t index) -> task<int> {
    if (index % 3 == 0) {
      co_await yield();
    }
    const int inherited = number().get();
    number().set(static_cast<int>(index));
    if (index % 2 == 0) {
      co_await yield();
    }
    if (number().get() != static_cast<int>(index)) {
      co_return -1;
    }
    co_return inherited;
  };
  auto batch = pool.dispatch(many, item);
  number().reset(std::move(token));
  for (const int seen : batch.get()) {
    EXPECT_EQ(seen, 70);
  }
}

TEST(context, a_task_takes_its_values_along_to_other_workers) {
  runtime pool(workers(3));
  auto leaf = [](int expected) -> task<bool> {
    bool right = true;
    for (int turn = 0; turn < 20; ++turn) {
      co_await yield();
      right = right && number().get() == expected;
    }
    co_return right;
  };
  auto body = [leaf]() -> task<> {
    std::vector<join_handle<bool>> all;
    for (int n = 0; n < 50; ++n) {
      number().set(n);
      all.push_back(spawn(leaf(n)));
    }
    for (auto& each : all) {
      EXPECT_TRUE(co_await each);
    }
  };
  pool.run(body());
}

TEST(context, tasks_on_several_workers_may_share_one_context) {
  runtime pool(workers(3));
  const context shared;
  auto body = [&shared]() -> task<> {
    std::vector<join_handle<int>> all;
    for (int n = 0; n < 50; ++n) {
      auto work = add_to_number(1);
      all.push_back(spawn(std::move(work), shared));
    }
    for (auto& each : all) {
      co_await each;
    }
  };
  pool.run(body());
  EXPECT_GT(number().get_if_set(shared).value(), 0);  // their sum is a race of theirs, not of ours
}

// 2.11
TEST(context, an_offloaded_call_has_a_copy_that_is_not_copied_back) {
  runtime pool(workers(2));
  auto body = []() -> task<> {
    number().set(5);
    auto call = [] {
      const int seen = number().get();
      number().set(6);
      return seen * 10 + number().get();
    };
    auto blocking = offload_blocking(call);
    EXPECT_EQ(co_await blocking, 56);
    EXPECT_EQ(number().get(), 5);
    auto busy = offload(call);
    EXPECT_EQ(co_await busy, 56);
    EXPECT_EQ(number().get(), 5);
  };
  pool.run(body());
}

TEST(context, a_spawn_from_outside_copies_the_threads_context) {
  runtime pool(workers(1));
  auto token = number().set(9);
  auto handle = pool.spawn(read_number());
  number().reset(std::move(token));
  EXPECT_EQ(handle.get(), 9);
}

TEST(context, a_spawn_from_outside_runs_in_the_context_that_it_names) {
  runtime pool(workers(2));
  auto token = number().set(9);
  const context shared = context::current().copy();
  EXPECT_EQ(pool.spawn(add_to_number(1), shared).get(), 10);
  EXPECT_EQ(pool.spawn(add_to_number(1), shared, "named", priority::high).get(), 11);
  EXPECT_EQ(number().get_if_set(shared), 11);
  EXPECT_EQ(number().get(), 9);
  auto inside = [&]() -> task<int> {
    auto child = pool.spawn(add_to_number(1), shared);
    const int of_child = co_await child;
    co_return of_child * 100 + number().get();
  };
  number().set(0);
  EXPECT_EQ(pool.spawn(inside()).get(), 1200);
  number().reset(std::move(token));
}

TEST(context, a_parallel_body_has_a_copy_for_each_call) {
  runtime pool(workers(2));
  std::atomic<int> surprises{0};
  auto body = [&]() -> task<> {
    number().set(5);
    auto call = [&] {
      if (number().get() != 5) ++surprises;
      number().set(6);
      if (number().get() != 6) ++surprises;
      return 1;
    };
    auto each = harrier::parallel_for(0, 200, [&](int) { call(); });
    co_await each;
    using indices = tbb::blocked_range<int>;
    auto parts = harrier::parallel_for(indices(0, 200), [&](const indices&) { call(); });
    co_await parts;
    auto sum = harrier::parallel_reduce(
        indices(0, 200), 0,
        [&](const indices& part, int value) {
          return value + call() * static_cast<int>(part.size());
        },
        [&](int left, int right) {
          call();
          return left + right;
        });
    EXPECT_EQ(co_await sum, 200);
    auto both = harrier::invoke(call, call);
    co_await both;
    EXPECT_EQ(number().get(), 5);
  };
  pool.run(body());
  EXPECT_EQ(surprises.load(), 0);
}

TEST(context, a_worker_has_none_of_whoever_made_it) {
  runtime pool(workers(1));
  auto token = number().set(9);
  auto of_the_worker = []() -> task<int> {
    co_return this_worker::runner().context().run(in_a_plain_function);
  };
  auto handle = pool.spawn(of_the_worker());
  number().reset(std::move(token));
  EXPECT_EQ(handle.get(), 0);
}

}  // namespace
}  // namespace harrier::test
