// SPDX-License-Identifier: Apache-2.0
// Groups on several workers, where children end elsewhere than they were spawned; exception_group.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>

namespace harrier::test {
namespace {

/// Options of a runtime with that many workers and time that stands still.
runtime_options workers_on(std::size_t workers, clock& time) {
  runtime_options options;
  options.workers = workers;
  options.time = &time;
  return options;
}

TEST(task_group, joins_children_that_end_on_other_workers) {
  runtime rt(std::size_t{4});
  std::atomic<int> ended{0};
  auto child = [&](int i) -> task<> {
    for (int turn = 0; turn < i % 4; ++turn) co_await yield();
    ended.fetch_add(1);
  };
  auto main = [&]() -> task<> {
    auto body = [&](task_group& group) -> task<> {
      for (int i = 0; i < 1000; ++i) group.start(child(i));
      co_return;
    };
    auto op = with_task_group(body);
    co_await op;
    EXPECT_EQ(ended.load(), 1000);
  };
  rt.run(main());
}

TEST(task_group, of_children_that_spawn_children_of_the_group) {
  runtime rt(std::size_t{4});
  std::atomic<int> ended{0};
  std::function<task<>(task_group&, int)> grow = [&](task_group& group, int depth) -> task<> {
    if (depth > 0) {
      group.start(grow(group, depth - 1));
      co_await yield();
      group.start(grow(group, depth - 1));
    }
    ended.fetch_add(1);
  };
  auto main = [&]() -> task<> {
    auto body = [&](task_group& group) -> task<> {
      group.start(grow(group, 8));
      co_return;
    };
    auto op = with_task_group(body);
    co_await op;
  };
  rt.run(main());
  EXPECT_EQ(ended.load(), (1 << 9) - 1);
}

TEST(task_group, fails_fast_on_several_workers) {
  virtual_clock time;
  runtime rt(workers_on(4, time));
  std::atomic<int> cancels{0};
  auto sleeps = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      cancels.fetch_add(1);
      throw;
    }
  };
  auto main = [&]() -> task<bool> {
    auto body = [&](task_group& group) -> task<> {
      for (int i = 0; i < 50; ++i) group.start(sleeps());
      auto fails = []() -> task<> {
        co_await sleep_for(1ms);
        throw boom("one");
      };
      group.start(fails());
      auto mine = sleeps();
      co_await mine;
    };
    bool thrown = false;
    try {
      auto op = with_task_group(body);
      co_await op;
    } catch (const exception_group& group) {
      thrown = group.size() == 1 && holds<boom>(group.errors().at(0));
    }
    const task_ref self = co_await current_task();
    EXPECT_EQ(self.cancelling(), 0u);
    co_await yield();
    co_return thrown;
  };
  EXPECT_TRUE(rt.run(main()));
  EXPECT_EQ(cancels.load(), 51);
  EXPECT_LT(time.now(), time_point{} + 1h);
}

/// Says at its end whether what it watches had ended before.
class ends_after {
 public:
  explicit ends_after(const std::atomic<bool>& first) : first_(first) {}
  ends_after(const ends_after&) = delete;
  ends_after& operator=(const ends_after&) = delete;
  ~ends_after() { EXPECT_TRUE(first_) << "the frame goes before a child that refers to it"; }

 private:
  const std::atomic<bool>& first_;
};

// The child is in the middle of a step when the body fails: it hears of its cancel only after that.
TEST(task_group, left_by_an_exception_waits_for_a_child_on_another_worker) {
  for (const bool by_cancel : {false, true}) {
    error_log log;
    runtime_options options;
    options.workers = 2;
    options.provider = thread_provider::own_threads;  // as many as it takes for one to block
    options.exception_handler = std::ref(log);
    runtime rt(options);
    tally is_there;
    tally may_end;
    std::atomic<bool> has_ended{false};
    std::atomic<bool> was_cancelled{false};
    auto child = [&]() -> task<> {
      co_await resume_on(1);
      is_there.add();
      may_end.wait_for(1);  // blocks the thread of that worker
      try {
        co_await sleep_for(1min);
      } catch (const cancelled&) {
        was_cancelled = true;
      }
      has_ended = true;
      throw boom("child");
    };
    auto main = [&]() -> task<> {
      const ends_after children(has_ended);
      auto body = [&](task_group& group) -> task<> {
        group.start(child());
        if (by_cancel) co_await sleep_for(1min);
        while (is_there.value() == 0) co_await yield();
        may_end.add();
        throw boom("body");
      };
      auto op = with_task_group(body);
      co_await op;
    };
    auto scope = rt.spawn_on(0, main());
    if (by_cancel) {
      is_there.wait_for(1);
      scope.cancel();
      may_end.add();
    }
    std::vector<std::string> errors;
    try {
      scope.get();
      ADD_FAILURE() << "it has not failed";
    } catch (const exception_group& thrown) {
      thrown.for_each<boom>([&](const boom& each) { errors.emplace_back(each.what()); });
    }
    EXPECT_EQ(errors, by_cancel ? std::vector<std::string>({"child"})
                                : std::vector<std::string>({"child", "body"}));
    EXPECT_TRUE(was_cancelled);
    EXPECT_EQ(log.size(), 0u);
  }
}

TEST(task_group, left_by_the_end_of_the_runtime_waits_for_a_child_on_another_worker) {
  tally is_there;
  tally may_end;
  std::atomic<bool> has_ended{false};
  join_handle<void> scope;
  {
    runtime rt(std::size_t{2});
    auto child = [&]() -> task<> {
      co_await resume_on(1);
      is_there.add();
      may_end.wait_for(1);
      const auto note = [](std::atomic<bool>* at) { *at = true; };
      const std::unique_ptr<std::atomic<bool>, decltype(note)> at_end(&has_ended, note);
      co_await sleep_for(24h);
    };
    auto main = [&]() -> task<> {
      const ends_after children(has_ended);
      auto body = [&](task_group& group) -> task<> {
        group.start(child());
        co_return;
      };
      auto op = with_task_group(body);
      co_await op;
    };
    scope = rt.spawn_on(0, main());
    is_there.wait_for(1);
    std::thread stopper([&] { rt.stop(); });
    while (!rt.is_stopped()) std::this_thread::yield();
    may_end.add();
    stopper.join();
    EXPECT_TRUE(has_ended);
    EXPECT_TRUE(scope.done());
  }
  EXPECT_THROW(scope.get(), run_cancelled);
}

// A child that no cancel reaches: the loop gives up, and destroys it and the group where they wait.
TEST(task_group, that_a_close_gives_up_is_destroyed_with_its_children) {
  error_log log;
  runner_options options;
  options.exception_handler = std::ref(log);
  runner alone(options);
  gate never;
  auto stuck = [](gate& at, tracked /*value*/) -> task<> { co_await at.wait(); };
  auto main = [&](tracked value) -> task<> {
    auto body = [&](task_group& group) -> task<> {
      group.start(stuck(never, value));
      group.start(stuck(never, value));
      co_return;
    };
    auto op = with_task_group(body);
    co_await op;
  };
  alone.loop().spawn(main(tracked()), "scope").detach();
  auto arrives = [&]() -> task<> {
    while (never.arrivals() != 2) co_await yield();
  };
  alone.run(arrives());
  alone.close(close_options().within(1ms));
  EXPECT_EQ(tracked::alive(), 0);
  std::size_t destroyed = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    destroyed += log.at(i).message.find("destroyed where it waits") != std::string::npos ? 1u : 0u;
  }
  EXPECT_EQ(destroyed, 3u) << "the scope and both children are named";
}

TEST(task_group, gives_the_value_of_its_body) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<std::unique_ptr<int>> {
    auto body = [](task_group& group) -> task<std::unique_ptr<int>> {
      auto child = group.spawn(give(4));
      const int value = co_await child;
      co_return std::make_unique<int>(value);
    };
    auto op = with_task_group(body);
    auto value = co_await op;
    co_return value;
  };
  EXPECT_EQ(*r.run(main()), 4);
}

// The error is the group's: the handle that was dropped is not reported as well.
TEST(task_group, reports_no_error_that_it_throws) {
  error_log log;
  virtual_clock time;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  auto main = []() -> task<> {
    auto body = [](task_group& group) -> task<> {
      group.start(sleep_then_throw(1ms, "one"));
      co_return;
    };
    auto op = with_task_group(body);
    bool thrown = false;
    try {
      co_await op;
    } catch (const exception_group&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  };
  r.run(main());
  EXPECT_EQ(log.size(), 0u);
}

TEST(task_group, with_many_children_grows_with_the_live_ones_only) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto body = [](task_group& group) -> task<> {
      for (int i = 0; i < 10'000; ++i) {
        auto child = group.spawn(give(i));
        co_await child;
        EXPECT_LE(group.size(), 1u);
      }
    };
    auto op = with_task_group(body);
    co_await op;
  };
  r.run(main());
}

TEST(exception_group, says_how_many_and_what) {
  std::vector<std::exception_ptr> errors;
  errors.push_back(std::make_exception_ptr(boom("first")));
  errors.push_back(std::make_exception_ptr(std::out_of_range("second")));
  const exception_group group("trouble", errors);
  EXPECT_STREQ(group.what(), "trouble (2 errors): first");
  EXPECT_EQ(group.size(), 2u);
}

TEST(exception_group, visits_and_splits_by_type_through_inner_groups) {
  std::vector<std::exception_ptr> inner;
  inner.push_back(std::make_exception_ptr(boom("a")));
  inner.push_back(std::make_exception_ptr(std::out_of_range("b")));
  std::vector<std::exception_ptr> errors;
  errors.push_back(std::make_exception_ptr(exception_group("inner", inner)));
  errors.push_back(std::make_exception_ptr(boom("c")));
  errors.push_back(std::make_exception_ptr(7));
  const exception_group group("outer", errors);

  std::string seen;
  group.for_each<boom>([&](const boom& error) { seen += error.what(); });
  EXPECT_EQ(seen, "ac");

  auto parts = group.split<boom>();
  ASSERT_TRUE(parts.first.has_value());
  ASSERT_TRUE(parts.second.has_value());
  EXPECT_EQ(parts.first->size(), 2u);
  EXPECT_TRUE(holds<exception_group>(parts.first->errors().at(0)));
  EXPECT_TRUE(holds<boom>(parts.first->errors().at(1)));
  EXPECT_EQ(parts.second->size(), 2u);
  seen.clear();
  parts.second->for_each<std::out_of_range>([&](const auto& error) { seen += error.what(); });
  EXPECT_EQ(seen, "b");

  EXPECT_FALSE(group.split<std::bad_alloc>().first.has_value());
}

// when_all on workers: who fails first ends the others.
TEST(when_all, on_workers_cancels_the_others_when_one_fails) {
  virtual_clock time;
  runtime rt(workers_on(4, time));
  std::atomic<int> cancels{0};
  auto sleeps = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      cancels.fetch_add(1);
      throw;
    }
  };
  auto main = [&]() -> task<std::string> {
    std::vector<task<>> work;
    for (int i = 0; i < 20; ++i) work.push_back(sleeps());
    work.insert(work.begin() + 7, sleep_then_throw(1ms, "seventh"));
    std::string text;
    try {
      auto op = when_all(std::move(work));
      co_await op;
    } catch (const boom& error) {
      text = error.what();
    }
    const task_ref self = co_await current_task();
    EXPECT_EQ(self.cancelling(), 0u);
    co_await yield();
    co_return text;
  };
  EXPECT_EQ(rt.run(main()), "seventh");
  EXPECT_EQ(cancels.load(), 20);
  EXPECT_LT(time.now(), time_point{} + 1h);
}

// The first by completion, not by position.
TEST(when_all, throws_what_failed_first) {
  virtual_clock time;
  runtime rt(workers_on(2, time));
  auto main = []() -> task<std::string> {
    auto stubborn = []() -> task<> {
      try {
        co_await sleep_for(1h);
      } catch (const cancelled&) {
        throw boom("cleanup");
      }
    };
    std::string text;
    try {
      auto op = when_all(stubborn(), sleep_then_throw(1ms, "first"), stubborn());
      co_await op;
    } catch (const boom& error) {
      text = error.what();
    }
    co_return text;
  };
  EXPECT_EQ(rt.run(main()), "first");
}

TEST(when_all, drops_what_has_not_started_when_one_fails) {
  runtime rt(std::size_t{1});
  std::atomic<int> started{0};
  auto counts = [&]() -> task<> {
    started.fetch_add(1);
    co_return;
  };
  auto fails = []() -> task<> {
    throw boom("at once");
    co_return;
  };
  auto main = [&]() -> task<bool> {
    std::vector<task<>> work;
    for (int i = 0; i < 9; ++i) work.push_back(counts());
    work.push_back(fails());  // joined first: the others are still where they were pushed
    bool thrown = false;
    try {
      auto op = when_all(std::move(work));
      co_await op;
    } catch (const boom&) {
      thrown = true;
    }
    co_return thrown;
  };
  EXPECT_TRUE(rt.run(main()));
  EXPECT_EQ(started.load(), 0);
}

TEST(when_all, of_a_view_that_makes_the_tasks) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<int> {
    auto made = std::views::iota(0, 100) | std::views::transform([](int i) { return give(i); });
    auto op = when_all(made);
    const std::vector<int> values = co_await op;
    int sum = 0;
    for (const int value : values) sum += value;
    co_return sum;
  };
  EXPECT_EQ(rt.run(main()), 4950);
}

TEST(when_all, settled_on_workers_gives_every_outcome) {
  runtime rt(std::size_t{4});
  auto varied = [](int i) -> task<int> {
    if (i % 3 == 0) co_await yield();
    if (i % 5 == 0) throw boom(std::to_string(i));
    if (i % 7 == 0) throw cancelled();
    co_return i;
  };
  auto main = [&]() -> task<> {
    std::vector<task<int>> work;
    for (int i = 0; i < 200; ++i) work.push_back(varied(i));
    auto op = when_all_settled(std::move(work));
    auto outcomes = co_await op;
    for (int i = 0; i < 200; ++i) {
      const auto& each = outcomes[static_cast<std::size_t>(i)];
      EXPECT_EQ(each.has_failed(), i % 5 == 0) << i;
      EXPECT_EQ(each.was_cancelled(), i % 5 != 0 && i % 7 == 0) << i;
      EXPECT_EQ(each.has_value(), i % 5 != 0 && i % 7 != 0) << i;
    }
  };
  rt.run(main());
}

TEST(when_all, inside_a_group_inside_a_limit) {
  virtual_clock time;
  runtime rt(workers_on(2, time));
  std::atomic<int> cancels{0};
  auto sleeps = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      cancels.fetch_add(1);
      throw;
    }
  };
  auto main = [&]() -> task<bool> {
    auto body = [&](task_group& group) -> task<> {
      auto both = [&]() -> task<> {
        auto op = when_all(sleeps(), sleeps());
        co_await op;
      };
      group.start(both());
      group.start(both());
      auto op = when_any(sleeps(), sleeps());
      co_await op;
    };
    bool out = false;
    try {
      auto op = with_timeout(5ms, with_task_group(body));
      co_await op;
    } catch (const timed_out&) {
      out = true;
    }
    const task_ref self = co_await current_task();
    EXPECT_EQ(self.cancelling(), 0u);
    co_await yield();
    co_return out;
  };
  EXPECT_TRUE(rt.run(main()));
  EXPECT_EQ(cancels.load(), 6);
}

}  // namespace
}  // namespace harrier::test
