// SPDX-License-Identifier: Apache-2.0
// runner::run(): rules R20-R36 of docs/asyncio.md; the number stands before each test.
#include "support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>

namespace harrier::test {
namespace {

task<> touch(bool& started) {
  started = true;
  co_return;
}

// R20 (as since 3.14: any awaitable)
TEST(runner_run, takes_any_awaitable) {
  virtual_clock time;
  runner r(on(time));
  EXPECT_EQ(r.run(give(1)), 1);
  EXPECT_EQ(r.run(ready_int(2)), 2);
  ready_int named(3);
  EXPECT_EQ(r.run(named), 3);
  r.run(sleep_for(5ms));
  EXPECT_EQ(r.loop().now().time_since_epoch(), 5ms);
  r.run(yield());
}

// R20
TEST(runner_run, takes_the_handle_of_a_task_of_its_loop) {
  virtual_clock time;
  runner r(on(time));
  auto handle = r.loop().spawn(sleep_then(2ms, 12));
  EXPECT_EQ(r.run(std::move(handle)), 12);
}

// R20
TEST(runner_run, takes_a_foreign_awaitable_that_suspends) {
  virtual_clock time;
  runner r(on(time));
  gate g;
  r.loop().call_soon([&] { g.open(); });
  r.run(g.wait());
  EXPECT_TRUE(g.is_open());
}

// R21
TEST(runner_run, returns_the_very_result) {
  runner r;
  auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(9); };
  const std::unique_ptr<int> result = r.run(make());
  EXPECT_EQ(*result, 9);
  int object = 0;
  auto refer = [&]() -> task<int&> { co_return object; };
  EXPECT_EQ(&r.run(refer()), &object);
}

// R22
TEST(runner_run, exception_reaches_the_caller_and_the_runner_stays_usable) {
  virtual_clock time;
  runner r(on(time));
  EXPECT_THROW(r.run(throw_boom()), boom);
  EXPECT_THROW(r.run(sleep_then_throw(1ms, "late")), boom);
  EXPECT_EQ(r.run(give(1)), 1);
}

// R22: the same object, not a copy of it.
TEST(runner_run, exception_is_the_same_object) {
  std::exception_ptr original = std::make_exception_ptr(boom("one"));
  auto thrower = [&]() -> task<> {
    std::rethrow_exception(original);
    co_return;
  };
  runner r;
  std::exception_ptr caught;
  try {
    r.run(thrower());
  } catch (...) {
    caught = std::current_exception();
  }
  EXPECT_EQ(caught, original);
}

// R23
TEST(runner_run, any_number_of_runs_share_one_loop) {
  virtual_clock time;
  runner r(on(time));
  event_loop* const loop = &r.loop();
  long sum = 0;
  auto main = [&](int i) -> task<int> {
    EXPECT_EQ(&this_loop(), loop);
    co_return i;
  };
  for (int i = 0; i < 1000; ++i) sum += r.run(main(i));
  EXPECT_EQ(sum, 999L * 1000 / 2);
}

// R24: the main task starts on the loop, after what was ready before it.
TEST(runner_run, main_task_starts_on_the_running_loop) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  r.loop().call_soon([&] { order += 'a'; });
  auto main = [&]() -> task<> {
    EXPECT_TRUE(this_loop().is_running());
    order += 'm';
    co_return;
  };
  auto t = main();
  EXPECT_EQ(order, "");
  r.run(std::move(t));
  EXPECT_EQ(order, "am");
}

// R25
TEST(runner_run, nested_run_is_refused_and_its_task_never_starts) {
  virtual_clock time;
  runner r(on(time));
  runner other(on(time));
  bool started = false;
  auto main = [&]() -> task<int> {
    EXPECT_THROW(r.run(touch(started)), loop_running);
    EXPECT_THROW(other.run(touch(started)), loop_running);
    EXPECT_THROW(run(touch(started)), loop_running);
    std::vector<task<>> tasks;
    tasks.push_back(touch(started));
    EXPECT_THROW(r.run_all(std::move(tasks)), loop_running);
    co_await yield();
    co_return 1;
  };
  EXPECT_EQ(r.run(main()), 1);
  EXPECT_FALSE(started);
  EXPECT_EQ(r.run(give(2)), 2);
  EXPECT_EQ(other.run(give(3)), 3);
}

// R25: callbacks are inside the loop as well.
TEST(runner_run, nested_run_in_a_callback_is_refused) {
  virtual_clock time;
  runner r(on(time));
  bool refused = false;
  bool started = false;
  r.loop().call_soon([&] {
    try {
      r.run(touch(started));
    } catch (const loop_running&) {
      refused = true;
    }
  });
  r.run(yield());
  EXPECT_TRUE(refused);
  EXPECT_FALSE(started);
}

// R25: the message names what to do instead.
TEST(runner_run, nested_run_error_names_co_await) {
  auto main = []() -> task<std::string> {
    std::string text;
    try {
      run(give(1));
    } catch (const loop_running& e) {
      text = e.what();
    }
    co_return text;
  };
  EXPECT_NE(run(main()).find("co_await"), std::string::npos);
}

// R26
TEST(runner_run, another_thread_may_run_its_own_loop_meanwhile) {
  auto main = []() -> task<int> {
    int inner = 0;
    on_another_thread([&] { inner = run(give(41)); });
    co_return inner + 1;
  };
  EXPECT_EQ(run(main()), 42);
}

// R27: a task that another task cancels, run by its handle.
TEST(runner_run, main_task_cancelled_by_another_task_throws_run_cancelled) {
  virtual_clock time;
  runner r(on(time));
  std::optional<join_handle<int>> sleeper = r.loop().spawn(sleep_then(1h, 1));
  auto canceller = [&]() -> task<> {
    EXPECT_TRUE(sleeper->cancel());
    co_return;
  };
  auto main = [&]() -> task<int> {
    spawn(canceller()).detach();
    const int value = co_await *sleeper;
    co_return value;
  };
  EXPECT_THROW(r.run(main()), run_cancelled);
  EXPECT_EQ(r.run(give(1)), 1);
  EXPECT_LT(r.loop().now().time_since_epoch(), 1h);
}

// R27: a main task that ends by a cancelled of its own.
TEST(runner_run, main_task_that_throws_cancelled_becomes_run_cancelled) {
  virtual_clock time;
  runner r(on(time));
  auto child = []() -> task<> { co_await sleep_for(1h); };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    co_await yield();
    handle.cancel();
    co_await handle;  // throws cancelled, which ends this task as well
  };
  EXPECT_THROW(r.run(main()), run_cancelled);
  EXPECT_EQ(r.run(give(1)), 1);
}

// R27: run_cancelled is both, so ordinary code that catches std::exception sees it.
TEST(runner_run, run_cancelled_is_a_std_exception_and_a_cancelled) {
  static_assert(std::is_base_of_v<cancelled, run_cancelled>);
  static_assert(std::is_base_of_v<std::runtime_error, run_cancelled>);
  static_assert(!std::is_base_of_v<std::exception, cancelled>);
  virtual_clock time;
  runner r(on(time));
  auto handle = r.loop().spawn(sleep_then(1h, 1));
  handle.cancel("enough");
  std::string text;
  try {
    r.run(std::move(handle));
  } catch (const std::exception& e) {
    text = e.what();
  }
  EXPECT_NE(text.find("enough"), std::string::npos) << text;
}

// R28
TEST(runner_run, stop_leaves_run_and_the_main_task_goes_on_in_the_next_run) {
  virtual_clock time;
  runner r(on(time));
  int steps = 0;
  auto main = [&]() -> task<> {
    steps = 1;
    this_loop().stop();
    co_await sleep_for(1ms);
    steps = 2;
  };
  EXPECT_THROW(r.run(main()), loop_stopped);
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(r.state(), runner_state::initialized);
  EXPECT_EQ(r.loop().live_tasks(), 1u);
  EXPECT_EQ(r.run(sleep_then(10ms, 3)), 3);
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(r.loop().live_tasks(), 0u);
}

// R28
TEST(runner_run, close_cancels_a_main_task_left_by_stop) {
  virtual_clock time;
  runner r(on(time));
  bool was_cancelled = false;
  auto main = [&]() -> task<> {
    this_loop().stop();
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      was_cancelled = true;
      throw;
    }
  };
  EXPECT_THROW(r.run(main()), loop_stopped);
  r.close();
  EXPECT_TRUE(was_cancelled);
  EXPECT_EQ(live_frames(), 0u);
}

// R28, L11: stop() while nothing runs stops the next run after its first turn.
TEST(runner_run, stop_before_run_gives_exactly_one_turn) {
  virtual_clock time;
  runner r(on(time));
  int turns = 0;
  auto main = [&]() -> task<> {
    for (int i = 0; i < 3; ++i) {
      ++turns;
      co_await yield();
    }
  };
  r.loop().stop();
  EXPECT_THROW(r.run(main()), loop_stopped);
  EXPECT_EQ(turns, 1);
  r.run(sleep_for(1ms));
  EXPECT_EQ(turns, 3);
}

// L11: the turn in which stop() is called is finished.
TEST(runner_run, stop_finishes_the_turn_it_is_called_in) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  r.loop().call_soon([&] {
    order += 'a';
    r.loop().stop();
    r.loop().call_soon([&] { order += 'n'; });
  });
  r.loop().call_soon([&] { order += 'b'; });
  EXPECT_THROW(r.run(sleep_then(1h, 1)), loop_stopped);
  EXPECT_EQ(order, "ab");
  r.run(yield());
  EXPECT_EQ(order, "abn");
}

// R29
TEST(runner_run, what_was_ready_when_main_ended_still_runs) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  bool started = false;
  auto main = [&]() -> task<int> {
    this_loop().call_soon([&] {
      order += 'a';
      this_loop().call_soon([&] { order += 'c'; });
    });
    this_loop().call_soon([&] { order += 'b'; });
    spawn(touch(started)).detach();
    co_return 1;
  };
  EXPECT_EQ(r.run(main()), 1);
  EXPECT_EQ(order, "ab");
  EXPECT_TRUE(started) << "a task spawned on main's last step gets its first step";
  r.run(give(1));
  EXPECT_EQ(order, "abc");
}

// R30
TEST(runner_run, background_tasks_freeze_between_runs) {
  virtual_clock time;
  runner r(on(time));
  int steps = 0;
  auto background = [&]() -> task<> {
    for (;;) {
      ++steps;
      co_await sleep_for(10ms);
    }
  };
  auto main = [&]() -> task<> {
    spawn(background()).detach();
    co_await sleep_for(5ms);
  };
  r.run(main());
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(r.loop().live_tasks(), 1u);
  r.run(sleep_for(20ms));
  EXPECT_EQ(steps, 3);
  r.close();
  EXPECT_EQ(steps, 3);
}

// R31
TEST(runner_run, timers_due_between_runs_fire_on_the_next_run) {
  virtual_clock time;
  runner r(on(time));
  bool fired = false;
  auto background = [&]() -> task<> {
    co_await sleep_for(10ms);
    fired = true;
  };
  auto main = [&]() -> task<> {
    spawn(background()).detach();
    co_await yield();
  };
  r.run(main());
  time.advance(1h);
  EXPECT_FALSE(fired);
  auto look = [&]() -> task<> {
    co_await yield();
    co_await yield();
  };
  r.run(look());
  EXPECT_TRUE(fired);
}

// R32: here nothing but stop() leaves run() early; what a background task throws stays on it.
TEST(runner_run, no_exception_of_a_background_task_escapes_run) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  auto thrower = []() -> task<> {
    throw 1;  // not even a std::exception
    co_return;
  };
  auto main = [&]() -> task<int> {
    auto kept = spawn(thrower());
    co_await sleep_for(1ms);
    EXPECT_TRUE(kept.done());
    bool seen = false;
    try {
      co_await kept;
    } catch (int) {
      seen = true;
    }
    EXPECT_TRUE(seen);
    co_return 2;
  };
  EXPECT_EQ(r.run(main()), 2);
  EXPECT_EQ(log.size(), 0u);
}

// R33: the abandoned main task must not end the run that finds it.
TEST(runner_run, an_abandoned_main_task_does_not_end_the_next_run) {
  virtual_clock time;
  runner r(on(time));
  auto abandoned = []() -> task<int> {
    this_loop().stop();
    co_await sleep_for(1ms);
    co_return 1;
  };
  EXPECT_THROW(r.run(abandoned()), loop_stopped);
  EXPECT_EQ(r.run(sleep_then(10ms, 2)), 2);
  EXPECT_EQ(r.loop().now().time_since_epoch(), 10ms);
}

// R34: not disturbed, reported once the unread error dies with its handle.
TEST(runner_run, background_error_is_reported_when_it_is_dropped_unread) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  auto main = [&]() -> task<int> {
    {
      auto handle = spawn(throw_boom("unread"), "the careless one");
      co_await yield();
      co_await yield();
      EXPECT_TRUE(handle.done());
      EXPECT_EQ(log.size(), 0u);
    }
    co_return 3;
  };
  EXPECT_EQ(r.run(main()), 3);
  r.close();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(text_of(log.at(0).error), "unread");
  EXPECT_EQ(log.at(0).task_name, "the careless one");
  EXPECT_FALSE(log.at(0).message.empty());
}

// R34
TEST(runner_run, detached_background_error_is_reported) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  auto main = [&]() -> task<int> {
    spawn(throw_boom("nobody looks")).detach();
    co_await sleep_for(1ms);
    co_return 3;
  };
  EXPECT_EQ(r.run(main()), 3);
  r.close();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(text_of(log.at(0).error), "nobody looks");
}

// R34
TEST(runner_run, error_that_was_read_is_not_reported) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  {
    runner r(options);
    auto main = [&]() -> task<> {
      auto handle = spawn(throw_boom());
      bool seen = false;
      try {
        co_await handle;
      } catch (const boom&) {
        seen = true;
      }
      EXPECT_TRUE(seen);
    };
    r.run(main());
  }
  EXPECT_EQ(log.size(), 0u);
}

// R34: being cancelled is not an error that anybody has to read.
TEST(runner_run, cancelled_background_task_is_not_reported) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  {
    runner r(options);
    auto main = [&]() -> task<> {
      auto handle = spawn(sleep_for_ever());
      co_await yield();
      handle.cancel();
      co_await sleep_for(1ms);
      EXPECT_TRUE(handle.done());
    };
    r.run(main());
  }
  EXPECT_EQ(log.size(), 0u);
}

// R35
TEST(runner_run, running_loop_is_marked_per_thread_and_only_during_the_run) {
  virtual_clock time;
  runner r(on(time));
  EXPECT_THROW((void)this_loop(), no_running_loop);
  auto main = [&]() -> task<> {
    EXPECT_EQ(&this_loop(), &r.loop());
    EXPECT_TRUE(r.loop().is_running());
    on_another_thread([] { EXPECT_THROW((void)this_loop(), no_running_loop); });
    co_return;
  };
  r.run(main());
  EXPECT_THROW((void)this_loop(), no_running_loop);
  EXPECT_FALSE(r.loop().is_running());
}

// R35
TEST(runner_run, running_loop_mark_is_removed_on_every_way_out) {
  virtual_clock time;
  runner r(on(time));
  EXPECT_THROW(r.run(throw_boom()), boom);
  EXPECT_THROW((void)this_loop(), no_running_loop);
  auto stopper = []() -> task<> {
    this_loop().stop();
    co_await yield();
  };
  EXPECT_THROW(r.run(stopper()), loop_stopped);
  EXPECT_THROW((void)this_loop(), no_running_loop);
  auto handle = r.loop().spawn(sleep_for_ever());
  handle.cancel();
  EXPECT_THROW(r.run(std::move(handle)), run_cancelled);
  EXPECT_THROW((void)this_loop(), no_running_loop);
  r.close();
  EXPECT_THROW((void)this_loop(), no_running_loop);
}

// R35: spawn, sleeps and yield need a running loop, and say so.
TEST(runner_run, outside_a_loop_spawn_is_refused) {
  bool started = false;
  EXPECT_THROW((void)spawn(touch(started)), no_running_loop);
  EXPECT_FALSE(started);
}

#if !HARRIER_TEST_SANITIZED
// R35: the child of a fork inside a run has no running loop.
TEST(runner_run, forked_child_does_not_inherit_the_running_loop) {
  auto main = []() -> task<int> {
    const pid_t child = ::fork();
    if (child == 0) {
      int status = 1;
      try {
        (void)this_loop();
      } catch (const no_running_loop&) {
        status = 0;
      } catch (...) {  // any other answer is the failure that the parent reports
        status = 2;
      }
      _exit(status);
    }
    int status = -1;
    waitpid(child, &status, 0);
    co_return status;
  };
  EXPECT_EQ(run(main()), 0);
}
#endif

// R36: a task of a loop that nobody runs can never wake us. On the virtual clock that is a deadlock
// and not a hang; both runners stay usable.
TEST(runner_run, handle_of_another_loop_is_refused_or_found_to_be_a_deadlock) {
  virtual_clock time;
  runner a(on(time));
  runner b(on(time));
  auto handle = a.loop().spawn(give(1));
  auto main = [&]() -> task<> { co_await handle; };
  EXPECT_ANY_THROW(b.run(main()));
  EXPECT_EQ(a.run(give(1)), 1);
  b.close();
}

}  // namespace
}  // namespace harrier::test
