// SPDX-License-Identifier: Apache-2.0
// async_generator: laziness, waiting inside, errors, cancel, close, and what is left behind.
#include "support.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace harrier::test {
namespace {

async_generator<int> count(int first, int last) {
  for (int n = first; n < last; ++n) {
    co_yield n;
  }
}

async_generator<int> count_slowly(int last, duration between) {
  for (int n = 0; n < last; ++n) {
    co_await sleep_for(between);
    co_yield n;
  }
}

task<int> sum_of(async_generator<int> numbers) {
  int sum = 0;
  while (auto number = co_await numbers.next()) {
    sum += *number;
  }
  co_return sum;
}

TEST(async_generator, gives_its_values_in_order_and_then_nothing) {
  auto body = []() -> task<> {
    auto numbers = count(3, 5);
    EXPECT_EQ(co_await numbers.next(), std::optional(3));
    EXPECT_EQ(co_await numbers.next(), std::optional(4));
    EXPECT_EQ(co_await numbers.next(), std::nullopt);
    EXPECT_EQ(co_await numbers.next(), std::nullopt);
  };
  run(body());
}

TEST(async_generator, starts_with_the_first_next) {
  static bool started;
  started = false;
  auto make = []() -> async_generator<int> {
    started = true;
    co_yield 1;
  };
  auto body = [](async_generator<int> numbers) -> task<> {
    EXPECT_FALSE(started);
    co_await numbers.next();
    EXPECT_TRUE(started);
  };
  run(body(make()));
}

TEST(async_generator, waits_between_values) {
  virtual_clock time;
  runner loop(on(time));
  EXPECT_EQ(loop.run(sum_of(count_slowly(4, 10ms))), 6);
  EXPECT_EQ(time.now().time_since_epoch(), 40ms);
}

TEST(async_generator, many_values_need_no_stack) {
  const int many = scaled(200'000, 100'000);
  auto body = [](int last) -> task<long> {
    auto numbers = count(0, last);
    long sum = 0;
    while (auto number = co_await numbers.next()) {
      sum += *number;
    }
    co_return sum;
  };
  EXPECT_EQ(run(body(many)), long{many} * (many - 1) / 2);
}

TEST(async_generator, owning_values_are_moved_and_destroyed_once) {
  auto make = []() -> async_generator<std::unique_ptr<tracked>> {
    for (int n = 0; n < 3; ++n) {
      auto value = std::make_unique<tracked>();
      co_yield std::move(value);
    }
    co_yield std::make_unique<tracked>();
  };
  auto body = [](async_generator<std::unique_ptr<tracked>> values) -> task<> {
    int seen = 0;
    while (auto value = co_await values.next()) {
      ++seen;
      EXPECT_EQ(tracked::alive(), 1);
    }
    EXPECT_EQ(seen, 4);
    EXPECT_EQ(tracked::alive(), 0);
  };
  run(body(make()));
}

TEST(async_generator, an_lvalue_is_copied) {
  auto make = []() -> async_generator<std::string> {
    std::string text = "a long text that does not fit into the object itself";
    co_yield text;
    co_yield text;
    co_yield "converted";
  };
  auto body = [](async_generator<std::string> texts) -> task<> {
    const auto first = co_await texts.next();
    const auto second = co_await texts.next();
    EXPECT_EQ(first, second);
    EXPECT_EQ(first->size(), 52u);
    const auto third = co_await texts.next();
    EXPECT_EQ(*third, "converted");
  };
  run(body(make()));
}

TEST(async_generator, references_are_the_bodys_own_objects) {
  auto make = [](std::vector<int>& all) -> async_generator<int&> {
    for (int& each : all) {
      co_yield each;
    }
  };
  auto body = [](async_generator<int&> each) -> task<> {
    while (int* number = co_await each.next()) {
      *number *= 10;
    }
  };
  std::vector<int> all{1, 2, 3};
  run(body(make(all)));
  EXPECT_EQ(all, (std::vector<int>{10, 20, 30}));
}

TEST(async_generator, an_error_of_the_body_comes_out_of_next_once) {
  auto make = []() -> async_generator<int> {
    co_yield 1;
    throw boom();
  };
  auto body = [](async_generator<int> numbers) -> task<> {
    co_await numbers.next();
    bool thrown = false;
    try {
      co_await numbers.next();
    } catch (const boom&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    EXPECT_EQ(co_await numbers.next(), std::nullopt);
  };
  run(body(make()));
}

TEST(async_generator, dropped_midway_destroys_its_locals) {
  auto make = []() -> async_generator<int> {
    const tracked local;
    for (int n = 0;; ++n) {
      co_yield n;
    }
  };
  auto body = [](async_generator<int> numbers) -> task<> {
    co_await numbers.next();
    EXPECT_EQ(tracked::alive(), 1);
  };
  run(body(make()));
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(async_generator, never_started_frees_its_parameters) {
  auto make = [](tracked /*owned*/) -> async_generator<int> { co_yield 1; };
  {
    auto numbers = make(tracked());
    EXPECT_EQ(tracked::alive(), 1);
  }
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(async_generator, a_cancel_reaches_what_the_body_waits_for) {
  static std::string seen;
  seen.clear();
  auto make = []() -> async_generator<int> {
    co_yield 1;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled& reason) {
      seen = reason.what();
      throw;
    }
  };
  auto consume = [](async_generator<int> numbers) -> task<> {
    while (co_await numbers.next()) {
    }
  };
  auto body = [](task<> work) -> task<> {
    auto handle = spawn(std::move(work));
    co_await sleep_for(1ms);
    handle.cancel("enough");
    bool thrown = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  };
  virtual_clock time;
  runner(on(time)).run(body(consume(make())));
  EXPECT_EQ(seen, "enough");
  EXPECT_EQ(time.now().time_since_epoch(), 1ms);
}

TEST(async_generator, a_body_may_catch_the_cancel_and_go_on) {
  auto make = []() -> async_generator<int> {
    bool stopped = false;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      stopped = true;
    }
    co_yield stopped ? 1 : 0;
  };
  auto body = [](async_generator<int> numbers) -> task<int> {
    auto handle = spawn(sum_of(std::move(numbers)));
    co_await yield();
    handle.cancel();
    co_return co_await handle;
  };
  virtual_clock time;
  EXPECT_EQ(runner(on(time)).run(body(make())), 1);
}

TEST(async_generator, two_tasks_may_take_turns) {
  auto take_one = [](async_generator<int>& numbers) -> task<int> {
    auto number = co_await numbers.next();
    co_return *number;
  };
  auto body = [take_one]() -> task<> {
    auto numbers = count_slowly(2, 1ms);
    auto first = spawn(take_one(numbers));
    EXPECT_EQ(co_await first, 0);
    auto second = spawn(take_one(numbers));
    EXPECT_EQ(co_await second, 1);
  };
  virtual_clock time;
  runner(on(time)).run(body());
}

TEST(async_generator, a_second_next_at_the_same_time_is_refused) {
  auto body = []() -> task<> {
    auto numbers = count_slowly(2, 1ms);
    auto take = [](async_generator<int>& from) -> task<> { co_await from.next(); };
    auto first = spawn(take(numbers));
    co_await yield();
    bool refused = false;
    try {
      co_await numbers.next();
    } catch (const generator_running&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    co_await first;
  };
  virtual_clock time;
  runner(on(time)).run(body());
}

TEST(async_generator, close_lets_the_body_clean_up_and_wait) {
  static std::string trace;
  trace.clear();
  auto make = []() -> async_generator<int> {
    bool closed = false;
    try {
      co_yield 1;
      trace += "went on,";
    } catch (const generator_exit&) {
      closed = true;
    }
    co_await sleep_for(5ms);
    trace += closed ? "closed" : "ended";
  };
  auto body = [](async_generator<int> numbers) -> task<> {
    co_await numbers.next();
    co_await numbers.close();
    EXPECT_EQ(co_await numbers.next(), std::nullopt);
    co_await numbers.close();  // a second close does nothing
  };
  virtual_clock time;
  runner(on(time)).run(body(make()));
  EXPECT_EQ(trace, "closed");
  EXPECT_EQ(time.now().time_since_epoch(), 5ms);
}

TEST(async_generator, close_of_a_body_that_ignores_it_unwinds_it) {
  auto make = []() -> async_generator<int> {
    const tracked local;
    co_yield 1;
  };
  auto body = [](async_generator<int> numbers) -> task<> {
    co_await numbers.next();
    co_await numbers.close();
    EXPECT_EQ(tracked::alive(), 0);
  };
  run(body(make()));
}

TEST(async_generator, close_before_the_first_next_runs_nothing) {
  auto make = [](tracked /*owned*/) -> async_generator<int> {
    ADD_FAILURE() << "ran";
    co_yield 1;
  };
  auto body = [](async_generator<int> numbers) -> task<> {
    co_await numbers.close();
    EXPECT_EQ(tracked::alive(), 0);
    EXPECT_EQ(co_await numbers.next(), std::nullopt);
  };
  auto numbers = make(tracked());  // named: a temporary would live until run() returns
  run(body(std::move(numbers)));
}

TEST(async_generator, close_passes_on_an_error_and_refuses_a_further_value) {
  auto failing = []() -> async_generator<int> {
    try {
      co_yield 1;
    } catch (const generator_exit&) {
      throw boom();
    }
  };
  auto stubborn = []() -> async_generator<int> {
    for (int n = 0; n < 2; ++n) {
      try {
        co_yield n;
      } catch (const generator_exit&) {  // ignored: what the test is about
      }
    }
  };
  auto body = [](async_generator<int> first, async_generator<int> second) -> task<> {
    co_await first.next();
    bool failed = false;
    try {
      co_await first.close();
    } catch (const boom&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
    co_await second.next();
    bool ignored = false;
    try {
      co_await second.close();
    } catch (const generator_ignored_close&) {
      ignored = true;
    }
    EXPECT_TRUE(ignored);
    EXPECT_EQ(co_await second.next(), std::nullopt);
  };
  run(body(failing(), stubborn()));
}

TEST(async_generator, generators_may_be_stacked) {
  auto doubled = [](async_generator<int> from) -> async_generator<int> {
    while (auto number = co_await from.next()) {
      co_yield 2 * *number;
    }
  };
  virtual_clock time;
  EXPECT_EQ(runner(on(time)).run(sum_of(doubled(doubled(count_slowly(4, 1ms))))), 24);
}

TEST(async_generator, a_next_can_be_spawned_and_is_a_task_of_its_own) {
  auto body = []() -> task<> {
    auto numbers = count_slowly(2, 1ms);
    auto work = detail::as_task(numbers.next());
    auto handle = spawn(std::move(work));
    EXPECT_EQ(co_await handle, std::optional(0));
  };
  virtual_clock time;
  runner(on(time)).run(body());
}

// R46: the tasks end first, and what they own goes with them; a generator that nobody's task owns
// is known to no loop, so it may be closed in the next run, or dropped when its loop has gone.
TEST(async_generator, open_at_the_close_of_its_loop_goes_with_its_owner) {
  auto make = []() -> async_generator<int> {
    const tracked local;
    co_await sleep_for(1ms);
    co_yield 1;
    co_await sleep_for(1h);
  };
  virtual_clock time;
  auto mine = make();
  auto consume = [](async_generator<int> numbers) -> task<> {
    while (co_await numbers.next()) {
    }
  };
  auto take_one = [](async_generator<int>& numbers) -> task<> { co_await numbers.next(); };
  {
    runner loop(on(time));
    auto background = loop.loop().spawn(consume(make()));
    loop.run(take_one(mine));
    loop.run(take_one(mine = make()));
    EXPECT_EQ(tracked::alive(), 2);
    loop.close();
    EXPECT_TRUE(background.done());
    EXPECT_EQ(tracked::alive(), 1);  // the task's own went with it
  }
}

}  // namespace
}  // namespace harrier::test
