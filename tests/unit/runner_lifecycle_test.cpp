// SPDX-License-Identifier: Apache-2.0
// runner: created -> initialized -> closed. Rules R1-R16 of docs/asyncio.md; the number stands
// before each test. R3, R7 and R12 are as decided for C++: no scope entry, so the first run() or
// loop() makes the loop, and closing an unused runner is terminal.
#include "support.hpp"

#include <concepts>
#include <optional>
#include <type_traits>

namespace harrier::test {
namespace {

// Counts the loops that a runner makes, and can refuse to let one be made.
class loop_counter {
 public:
  runner_options options() {
    runner_options o = on(time);
    o.on_loop_created = [this] {
      ++created;
      if (refuse) throw boom("no loop today");
    };
    return o;
  }
  virtual_clock time;
  int created = 0;
  bool refuse = false;
};

task<> touch(bool& started) {
  started = true;
  co_return;
}

// R1
TEST(runner_lifecycle, goes_from_created_to_initialized_to_closed) {
  runner r;
  EXPECT_EQ(r.state(), runner_state::created);
  EXPECT_EQ(r.run(give(1)), 1);
  EXPECT_EQ(r.state(), runner_state::initialized);
  r.close();
  EXPECT_EQ(r.state(), runner_state::closed);
}

// R2
TEST(runner_lifecycle, constructing_makes_no_loop) {
  loop_counter counter;
  {
    const runner r(counter.options());
    EXPECT_EQ(counter.created, 0);
    EXPECT_EQ(r.state(), runner_state::created);
  }
  EXPECT_EQ(counter.created, 0);
}

// R3
TEST(runner_lifecycle, first_run_makes_the_loop) {
  loop_counter counter;
  runner r(counter.options());
  r.run(give(1));
  EXPECT_EQ(counter.created, 1);
}

// R3
TEST(runner_lifecycle, first_loop_call_makes_the_loop) {
  loop_counter counter;
  runner r(counter.options());
  (void)r.loop();
  EXPECT_EQ(counter.created, 1);
  EXPECT_EQ(r.state(), runner_state::initialized);
}

// R4
TEST(runner_lifecycle, the_loop_is_made_once_and_stays_the_same) {
  loop_counter counter;
  runner r(counter.options());
  event_loop* const first = &r.loop();
  event_loop* inside = nullptr;
  auto main = [&]() -> task<> {
    inside = &this_loop();
    co_return;
  };
  r.run(main());
  r.run(main());
  EXPECT_EQ(inside, first);
  EXPECT_EQ(&r.loop(), first);
  EXPECT_EQ(counter.created, 1);
}

// R5
TEST(runner_lifecycle, callbacks_queued_on_the_loop_before_a_run_wait_for_it) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  r.loop().call_soon([&] { order += "a"; });
  r.loop().post([&] { order += "b"; });
  EXPECT_EQ(order, "");
  EXPECT_FALSE(r.loop().is_running());
  auto main = [&]() -> task<> {
    order += "m";
    co_return;
  };
  r.run(main());
  EXPECT_EQ(order, "abm");
}

// R5
TEST(runner_lifecycle, tasks_spawned_on_the_loop_before_a_run_wait_for_it) {
  virtual_clock time;
  runner r(on(time));
  bool started = false;
  auto handle = r.loop().spawn(touch(started));
  EXPECT_FALSE(started);
  EXPECT_EQ(r.loop().live_tasks(), 1u);
  r.run(give(1));
  EXPECT_TRUE(started);
  EXPECT_TRUE(handle.done());
}

// R6
TEST(runner_lifecycle, a_loop_that_cannot_be_made_leaves_the_runner_created) {
  loop_counter counter;
  counter.refuse = true;
  runner r(counter.options());
  bool started = false;
  EXPECT_THROW(r.run(touch(started)), boom);
  EXPECT_FALSE(started);
  EXPECT_EQ(r.state(), runner_state::created);
  EXPECT_THROW((void)r.loop(), boom);
  EXPECT_EQ(r.state(), runner_state::created);
  EXPECT_EQ(counter.created, 2);
  counter.refuse = false;
  EXPECT_EQ(r.run(give(3)), 3);
  EXPECT_EQ(counter.created, 3);
}

// R7 (decided: terminal)
TEST(runner_lifecycle, closing_an_unused_runner_is_terminal_and_makes_no_loop) {
  loop_counter counter;
  runner r(counter.options());
  r.close();
  EXPECT_EQ(r.state(), runner_state::closed);
  EXPECT_EQ(counter.created, 0);
  bool started = false;
  EXPECT_THROW(r.run(touch(started)), runner_closed);
  EXPECT_THROW((void)r.loop(), runner_closed);
  EXPECT_FALSE(started);
  EXPECT_EQ(counter.created, 0);
}

// R9
TEST(runner_lifecycle, later_closes_do_nothing) {
  runner used;
  used.run(give(1));
  used.close();
  used.close();
  EXPECT_EQ(used.state(), runner_state::closed);
  runner unused;
  unused.close();
  EXPECT_NO_THROW(unused.close());
}

// R10
TEST(runner_lifecycle, a_closed_runner_refuses_and_the_task_never_starts) {
  runner r;
  r.run(give(1));
  r.close();
  bool started = false;
  EXPECT_THROW(r.run(touch(started)), runner_closed);
  EXPECT_THROW((void)r.loop(), runner_closed);
  std::vector<task<>> tasks;
  tasks.push_back(touch(started));
  EXPECT_THROW(r.run_all(std::move(tasks)), runner_closed);
  EXPECT_FALSE(started);
  EXPECT_EQ(r.state(), runner_state::closed);
}

// R10: the message says what is wrong.
TEST(runner_lifecycle, the_closed_error_says_closed) {
  runner r;
  r.close();
  try {
    r.run(give(1));
    FAIL() << "a closed runner ran a task";
  } catch (const runner_closed& e) {
    EXPECT_NE(std::string(e.what()).find("closed"), std::string::npos) << e.what();
  }
}

// R11 (1): what is not awaitable does not compile, so it can never make a loop.
template <class A>
concept runnable = requires(runner& r, A&& a) { r.run(std::forward<A>(a)); };
static_assert(runnable<task<int>>);
static_assert(runnable<ready_int>);
static_assert(!runnable<int>);
static_assert(!runnable<std::string>);
static_assert(!runnable<task<int> (*)(int)>);

// R11 (1): the argument is looked at before anything else.
TEST(runner_lifecycle, an_empty_task_makes_no_loop) {
  loop_counter counter;
  runner r(counter.options());
  auto t = give(1);
  auto moved = std::move(t);
  EXPECT_THROW(r.run(std::move(t)), invalid_task);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(counter.created, 0);
  EXPECT_EQ(r.state(), runner_state::created);
}

// R11 (2): a nested call is refused before the inner runner makes its loop.
TEST(runner_lifecycle, a_nested_run_makes_no_loop) {
  loop_counter counter;
  runner inner(counter.options());
  bool started = false;
  auto main = [&]() -> task<> {
    EXPECT_THROW(inner.run(touch(started)), loop_running);
    co_return;
  };
  run(main());
  EXPECT_EQ(counter.created, 0);
  EXPECT_EQ(inner.state(), runner_state::created);
  EXPECT_FALSE(started);
}

// R11 (2) before (3): nesting is reported even if the inner runner is closed as well.
TEST(runner_lifecycle, nesting_is_reported_before_closedness) {
  runner inner;
  inner.close();
  auto main = [&]() -> task<> {
    EXPECT_THROW(inner.run(give(1)), loop_running);
    co_return;
  };
  run(main());
}

// R12
TEST(runner_lifecycle, leaving_the_scope_closes_also_by_exception) {
  virtual_clock time;
  bool ended = false;
  auto child = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      ended = true;
    }
  };
  auto main = [&]() -> task<> {
    spawn(child()).detach();
    co_await yield();
  };
  try {
    runner r(on(time));
    r.run(main());
    EXPECT_FALSE(ended);
    throw boom("from the scope");
  } catch (const boom& e) {
    EXPECT_STREQ(e.what(), "from the scope");
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(live_frames(), 0u);
}

// R13
TEST(runner_lifecycle, errors_during_close_still_end_in_closed) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  auto child = []() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      throw boom("in cleanup");
    }
  };
  auto main = [&]() -> task<> {
    spawn(child()).detach();
    co_await yield();
  };
  r.run(main());
  EXPECT_NO_THROW(r.close());
  EXPECT_EQ(r.state(), runner_state::closed);
  EXPECT_EQ(log.size(), 1u);
}

// R13: the handler itself may be broken.
TEST(runner_lifecycle, a_throwing_exception_handler_does_not_stop_close) {
  virtual_clock time;
  runner_options options = on(time);
  options.exception_handler = [](const error_report&) { throw boom("in the handler"); };
  runner r(options);
  auto child = []() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      throw boom("in cleanup");
    }
  };
  auto main = [&]() -> task<> {
    spawn(child()).detach();
    co_await yield();
  };
  r.run(main());
  testing::internal::CaptureStderr();  // the fallback is to say so there
  EXPECT_NO_THROW(r.close());
  (void)testing::internal::GetCapturedStderr();
  EXPECT_EQ(r.state(), runner_state::closed);
}

// R14 (improved: no side effect)
TEST(runner_lifecycle, close_from_inside_is_refused_and_cancels_nothing) {
  virtual_clock time;
  runner r(on(time));
  bool child_ended = false;
  auto child = [&]() -> task<> {
    co_await sleep_for(1s);
    child_ended = true;
  };
  auto main = [&]() -> task<int> {
    auto handle = spawn(child());
    co_await yield();
    EXPECT_THROW(r.close(), loop_running);
    EXPECT_EQ(r.state(), runner_state::initialized);
    co_await handle;
    co_return 5;
  };
  EXPECT_EQ(r.run(main()), 5);
  EXPECT_TRUE(child_ended);
  EXPECT_EQ(r.run(give(6)), 6);
}

// R14: another runner's close() would have to run its loop here, inside ours.
TEST(runner_lifecycle, close_of_another_used_runner_from_inside_a_loop_is_refused) {
  virtual_clock time;
  runner other(on(time));
  other.run(give(1));
  auto main = [&]() -> task<> {
    EXPECT_THROW(other.close(), loop_running);
    co_return;
  };
  run(main());
  EXPECT_EQ(other.state(), runner_state::initialized);
  EXPECT_EQ(other.run(give(2)), 2);
}

// R15
static_assert(std::is_final_v<runner>);
static_assert(!std::is_copy_constructible_v<runner>);
static_assert(!std::is_move_constructible_v<runner>);
static_assert(!std::is_aggregate_v<runner_options>);
static_assert(!std::is_aggregate_v<error_report>);

// R16
TEST(one_shot_run, makes_a_fresh_loop_and_closes_it) {
  bool left_behind_cancelled = false;
  auto child = [&]() -> task<> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      left_behind_cancelled = true;
      throw;
    }
  };
  auto main = [&]() -> task<int> {
    spawn(child()).detach();
    co_await yield();
    co_return 4;
  };
  EXPECT_EQ(run(main()), 4);
  EXPECT_TRUE(left_behind_cancelled);
  EXPECT_THROW((void)this_loop(), no_running_loop);
}

// R16
TEST(one_shot_run, closes_also_when_the_task_throws) {
  EXPECT_THROW(run(throw_boom()), boom);
  EXPECT_EQ(run(give(2)), 2);
}

// R16
TEST(one_shot_run, takes_any_awaitable) { EXPECT_EQ(run(ready_int(8)), 8); }

// R16, R25
TEST(one_shot_run, is_refused_inside_a_running_loop) {
  bool started = false;
  auto main = [&]() -> task<> {
    EXPECT_THROW(run(touch(started)), loop_running);
    co_return;
  };
  run(main());
  EXPECT_FALSE(started);
}

}  // namespace
}  // namespace harrier::test
