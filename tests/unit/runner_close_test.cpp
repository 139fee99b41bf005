// SPDX-License-Identifier: Apache-2.0
// runner::close(): rules R40-R45 of docs/asyncio.md, with the improvements of R43 (a task that
// ignores its cancel gets a grace period, is named, and is then forced) and R44 (tasks spawned
// while closing are swept as well).
#include "support.hpp"

#include <memory>
#include <optional>

namespace harrier::test {
namespace {

class closing {
 public:
  closing() : r(options()) {}

 private:
  runner_options options() {
    runner_options o = on(time);
    o.exception_handler = std::ref(log);
    o.grace = 5s;
    return o;
  }

 public:
  virtual_clock time;
  error_log log;
  runner r;
};

task<> start(task<> background, std::string name) {
  spawn(std::move(background), name).detach();
  co_await yield();
}

// R8
TEST(runner_close, closes_the_loop) {
  closing c;
  event_loop& loop = c.r.loop();
  EXPECT_FALSE(loop.is_closed());
  c.r.run(give(1));
  c.r.close();
  EXPECT_EQ(c.r.state(), runner_state::closed);
}

// R40
TEST(runner_close, cancels_then_reports_then_closes_the_loop) {
  virtual_clock time;
  std::string order;
  event_loop* loop = nullptr;
  runner_options options = on(time);
  options.exception_handler = [&](const error_report& report) {
    order += report.task_name;
    EXPECT_FALSE(loop->is_closed());
  };
  runner r(options);
  loop = &r.loop();
  auto failing = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      throw boom();
    }
  };
  auto ending = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      order += 'e';
    }
  };
  // One ends before the failing one and one after it, in whatever order they are cancelled.
  r.run(start(ending(), "E"));
  r.run(start(failing(), "F"));
  r.run(start(ending(), "E"));
  r.close();
  EXPECT_EQ(order, "eeF") << "errors are reported after every task has ended";
}

// R41
TEST(runner_close, every_unfinished_task_gets_exactly_one_cancel) {
  closing c;
  constexpr int tasks = 100;
  int cancels = 0;
  auto body = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      ++cancels;
    }
    co_await yield();  // cleanup: nothing is thrown here
    co_await sleep_for(1ms);
  };
  for (int i = 0; i < tasks; ++i) c.r.run(start(body(), "body"));
  EXPECT_EQ(c.r.loop().live_tasks(), static_cast<std::size_t>(tasks));
  c.r.close();
  EXPECT_EQ(cancels, tasks);
  EXPECT_EQ(c.log.size(), 0u);
}

// R41
TEST(runner_close, waits_for_asynchronous_cleanup) {
  closing c;
  bool cleaned = false;
  auto body = [&]() -> task<> {
    bool was_cancelled = false;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    if (was_cancelled) {
      co_await sleep_for(2s);
      cleaned = true;
    }
  };
  c.r.run(start(body(), "cleaner"));
  c.r.close();
  EXPECT_TRUE(cleaned);
  EXPECT_EQ(c.time.now().time_since_epoch(), 2s);
}

// R41: the cancel goes to the innermost wait of a chain and unwinds from there.
TEST(runner_close, cancels_the_innermost_await_of_a_chain) {
  closing c;
  std::string order;
  auto inner = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      order += 'i';
      throw;
    }
  };
  auto outer = [&]() -> task<> {
    auto child = inner();
    try {
      co_await child;
    } catch (const cancelled&) {
      order += 'o';
      throw;
    }
  };
  c.r.run(start(outer(), "chain"));
  c.r.close();
  EXPECT_EQ(order, "io");
}

// R42
TEST(runner_close, error_of_a_leftover_task_goes_to_the_handler) {
  closing c;
  auto body = []() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      throw boom("while ending");
    }
  };
  auto main = [&]() -> task<int> {
    spawn(body(), "leftover").detach();
    co_await yield();
    co_return 17;
  };
  EXPECT_EQ(c.r.run(main()), 17);
  EXPECT_NO_THROW(c.r.close());
  ASSERT_EQ(c.log.size(), 1u);
  const error_report report = c.log.at(0);
  EXPECT_TRUE(holds<boom>(report.error));
  EXPECT_EQ(report.task_name, "leftover");
  EXPECT_NE(report.message.find("close"), std::string::npos) << report.message;
}

// R42, R16: one-shot run returns main's result although a leftover task fails.
TEST(runner_close, error_of_a_leftover_task_does_not_replace_the_result) {
  auto body = []() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      throw boom("while ending");
    }
  };
  auto main = [&]() -> task<int> {
    spawn(body()).detach();
    co_await yield();
    co_return 23;
  };
  testing::internal::CaptureStderr();  // no handler: it is logged
  EXPECT_EQ(run(main()), 23);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("while ending"), std::string::npos);
}

// R43 (improved)
TEST(runner_close, task_that_ignores_its_cancel_is_named_and_forced_after_the_grace) {
  closing c;
  int cancels = 0;
  auto stubborn = [&]() -> task<> {
    while (cancels < 3) {
      try {
        co_await sleep_for(1h);
      } catch (const cancelled&) {
        ++cancels;
      }
    }
  };
  c.r.run(start(stubborn(), "the stubborn one"));
  c.r.close();
  EXPECT_EQ(cancels, 3) << "after the grace every wait throws";
  EXPECT_EQ(c.time.now().time_since_epoch(), 5s);
  EXPECT_EQ(c.r.state(), runner_state::closed);
  ASSERT_GE(c.log.size(), 1u);
  EXPECT_EQ(c.log.at(0).task_name, "the stubborn one");
}

// R43: within the grace a task that swallowed its cancel is left to finish, with no second cancel.
TEST(runner_close, task_that_finishes_within_the_grace_is_not_forced) {
  closing c;
  int cancels = 0;
  bool finished = false;
  auto slow = [&]() -> task<> {
    for (int i = 0; i < 4; ++i) {
      try {
        co_await sleep_for(1s);
      } catch (const cancelled&) {
        ++cancels;
      }
    }
    finished = true;
  };
  c.r.run(start(slow(), "slow"));
  c.r.close();
  EXPECT_EQ(cancels, 1);
  EXPECT_TRUE(finished);
  EXPECT_EQ(c.log.size(), 0u);
}

// R44 (improved)
TEST(runner_close, tasks_spawned_while_closing_are_swept_as_well) {
  closing c;
  int started = 0;
  int ended = 0;
  auto child = [&](tracked /*life*/) -> task<> {
    ++started;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      ++ended;
      throw;
    }
  };
  auto parent = [&]() -> task<> {
    bool was_cancelled = false;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    for (int i = 0; i < 3; ++i) spawn(child(tracked())).detach();
    co_await sleep_for(1ms);
  };
  c.r.run(start(parent(), "parent"));
  c.r.close();
  EXPECT_EQ(started, ended) << "those that the sweep found unstarted never run (R45)";
  EXPECT_EQ(tracked::alive(), 0);
  EXPECT_EQ(live_frames(), 0u);
  EXPECT_LT(c.time.now().time_since_epoch(), 5s) << "no grace period was needed";
}

// R45
TEST(runner_close, never_started_task_never_runs_and_its_parameters_are_released) {
  closing c;
  bool started = false;
  c.r.loop().spawn(hold(tracked(), started)).detach();
  EXPECT_EQ(tracked::alive(), 1);
  c.r.close();
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
  EXPECT_EQ(live_frames(), 0u);
}

// R45
TEST(runner_close, task_cancelled_before_its_first_step_never_runs) {
  closing c;
  bool started = false;
  auto main = [&]() -> task<> {
    auto handle = spawn(hold(tracked(), started));
    EXPECT_TRUE(handle.cancel());
    bool was_cancelled = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    EXPECT_EQ(tracked::alive(), 0);
  };
  c.r.run(main());
  EXPECT_FALSE(started);
}

TEST(runner_close, handles_that_outlive_the_runner_are_done) {
  virtual_clock time;
  std::optional<join_handle<int>> handle;
  {
    runner r(on(time));
    handle = r.loop().spawn(sleep_then(1h, 1));
    r.run(yield());
    EXPECT_FALSE(handle->done());
  }
  EXPECT_TRUE(handle->done());
  EXPECT_FALSE(handle->cancel());
}

TEST(runner_close, drops_callbacks_that_nobody_ran) {
  closing c;
  auto guard = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = guard;
  bool ran = false;
  c.r.loop().call_soon([guard = std::move(guard), &ran] { ran = true; });
  c.r.close();
  EXPECT_TRUE(watch.expired());
  (void)ran;  // whether close() still ran it is not promised
}

TEST(runner_close, ten_thousand_sleepers_end_at_once) {
  closing c;
  int ended = 0;
  auto body = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      ++ended;
      throw;
    }
  };
  auto main = [&]() -> task<> {
    for (int i = 0; i < 10'000; ++i) spawn(body()).detach();
    co_await yield();
  };
  c.r.run(main());
  c.r.close();
  EXPECT_EQ(ended, 10'000);
  EXPECT_EQ(c.time.now().time_since_epoch(), 0s);
}

}  // namespace
}  // namespace harrier::test
