// SPDX-License-Identifier: Apache-2.0
// test_base_events and test_threads: the loop's own services. Cases about a loop that is not running,
// or about a run, are plain tests; the rest has its body on a loop.
// Left out, as they are about Python: test_call_soon_non_callable and its like (what is no callback
// does not compile), executors by name, policies, async generators' hooks (test_async_generators).
// test_shutdown_default_executor_timeout: close has one deadline for all, and then reports and waits:
// runtime_stop.waits_for_calls_that_block.
#include <harrier/runtime.hpp>

#include "case.hpp"

#include <csignal>

namespace harrier::test {
namespace {

TEST(test_base_events, test_close) {
  virtual_clock time;
  runner r(on(time));
  event_loop& loop = r.loop();
  EXPECT_FALSE(loop.is_closed());
  r.close();
  EXPECT_TRUE(loop.is_closed());
  r.close();
  EXPECT_TRUE(loop.is_closed());
  EXPECT_THROW(loop.call_soon([] {}), loop_closed);
  EXPECT_THROW(loop.call_later(1s, [] {}), loop_closed);
  EXPECT_THROW(loop.call_at(time_point(), [] {}), loop_closed);
  EXPECT_THROW(loop.post([] {}), loop_closed);
  EXPECT_THROW((void)loop.spawn(give(1)), loop_closed);
  EXPECT_THROW((void)loop.submit(give(1)), loop_closed);
}

ASYNCIO_CASE_OF_A_RUNNER(test_base_events, test_call_soon) {
  bool called = false;
  this_loop().call_soon([&] { called = true; });
  EXPECT_FALSE(called);
  co_await yield();
  EXPECT_TRUE(called);
}

ASYNCIO_CASE_IN_ORDER(test_base_events, test_call_later) {
  bool called = false;
  const time_point before = this_loop().now();
  const callback_handle handle = this_loop().call_later(10s, [&] { called = true; });
  EXPECT_EQ(handle.when(), before + 10s);
  co_await sleep_for(9s);
  EXPECT_FALSE(called);
  co_await sleep_for(2s);
  EXPECT_TRUE(called);
}

ASYNCIO_CASE_IN_ORDER(test_base_events, test_call_later_negative_delays) {
  std::string calls;
  this_loop().call_later(-1s, [&] { calls += 'a'; });
  this_loop().call_later(-2s, [&] { calls += 'b'; });
  co_await sleep_for(20ms);
  EXPECT_EQ(calls, "ba");
}

ASYNCIO_CASE_IN_ORDER(test_base_events, test_time_and_call_at) {
  event_loop& loop = this_loop();
  const time_point due = loop.now() + 100ms;
  time_point called{};
  loop.call_at(due, [&] { called = this_loop().now(); });
  co_await sleep_for(200ms);
  EXPECT_GE(called, due);
}

TEST(test_base_events, test_check_thread) {
  virtual_clock time;
  for (const debug_mode mode : {debug_mode::off, debug_mode::on}) {
    runner_options options = on(time);
    options.debug = mode;
    runner r(options);
    bool called = false;
    auto main = [&]() -> task<> {
      on_another_thread([&] {
        if (mode == debug_mode::on) {
          EXPECT_THROW(r.loop().call_soon([&] { called = true; }), wrong_thread);
        } else {
          r.loop().call_soon([&] { called = true; });  // here it is as good as a post
        }
      });
      co_await yield();
      co_await yield();
    };
    r.run(main());
    EXPECT_EQ(called, mode == debug_mode::off);
  }
}

ASYNCIO_CASE_IN_ORDER(test_base_events, test__run_once_cancelled_event_cleanup) {
  event_loop& loop = this_loop();
  const std::size_t before = loop.timers().size();
  std::vector<callback_handle> handles;
  for (int i = 0; i < 101; ++i) handles.push_back(loop.call_later(1h, [] {}));
  EXPECT_EQ(loop.timers().size(), before + 101);
  for (callback_handle& each : handles) each.cancel();
  EXPECT_EQ(loop.timers().size(), before) << "gone at once, not when they come to the head";
  co_return;
}

// A cancelled handle is skipped; cancelling it again does nothing.
ASYNCIO_CASE_IN_ORDER(test_base_events, test__add_callback_cancelled_handle) {
  bool called = false;
  callback_handle handle = this_loop().call_soon([&] { called = true; });
  EXPECT_TRUE(handle.cancel());
  EXPECT_FALSE(handle.cancel());
  co_await yield();
  EXPECT_FALSE(called);
}

// What is queued while a turn runs waits for the next.
ASYNCIO_CASE_OF_A_RUNNER(test_base_events, test__run_once_schedule_handle) {
  std::string order;
  this_loop().call_soon([&] {
    order += 'a';
    this_loop().call_soon([&] { order += 'c'; });
  });
  this_loop().call_soon([&] { order += 'b'; });
  co_await yield();
  EXPECT_EQ(order, "ab");
  co_await yield();
  EXPECT_EQ(order, "abc");
}

TEST(test_base_events, test_run_until_complete_baseexception) {
  virtual_clock time;
  runner_options options = on(time);
  options.handle_signals = signals::interrupt;
  runner r(options);
  // Two presses are what leaves a run at once here; what a task throws stays on the task.
  r.loop().call_soon([] {
    ::raise(SIGINT);
    ::raise(SIGINT);
  });
  EXPECT_THROW(r.run(sleep_for_ever()), interrupted);
  bool called = false;
  r.loop().call_soon([&] { called = true; });
  r.run(yield());
  EXPECT_TRUE(called);
}

// stop() before the run: one turn.
TEST(test_base_events, test_run_forever_pre_stopped) {
  virtual_clock time;
  runner r(on(time));
  bool called = false;
  r.loop().call_soon([&] { called = true; });
  r.loop().stop();
  EXPECT_THROW(r.run(sleep_for(1h)), loop_stopped);
  EXPECT_TRUE(called);
  EXPECT_EQ(time.now().time_since_epoch(), 0s);
}

TEST(test_base_events, test_default_exc_handler_callback) {
  virtual_clock time;
  runner r(on(time));
  bool next_called = false;
  r.loop().call_soon([] { throw boom("in a callback"); });
  r.loop().call_soon([&] { next_called = true; });
  testing::internal::CaptureStderr();
  r.run(yield());
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("in a callback"), std::string::npos) << text;
  EXPECT_TRUE(next_called);
}

TEST(test_base_events, test_set_exc_handler_custom) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  r.loop().call_soon([] { throw boom("zero"); });
  r.run(yield());
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(text_of(log.at(0).error), "zero");
  EXPECT_EQ(log.at(0).message, "a callback threw");
}

TEST(test_base_events, test_set_exc_handler_broken) {
  virtual_clock time;
  runner_options options = on(time);
  options.exception_handler = [](const error_report&) { throw boom("broken handler"); };
  runner r(options);
  r.loop().call_soon([] { throw boom("original"); });
  testing::internal::CaptureStderr();
  r.run(yield());
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("original"), std::string::npos) << text;
  EXPECT_NE(text.find("broken handler"), std::string::npos) << text;
}

TEST(test_base_events, test_create_task_error_closes_coro) {
  virtual_clock time;
  runner r(on(time));
  event_loop& loop = r.loop();
  r.close();
  bool started = false;
  EXPECT_THROW((void)loop.spawn(hold(tracked(), started)), loop_closed);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(test_base_events, test_create_named_task_with_default_factory) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  r.loop().spawn(throw_boom(), "test_task").detach();
  r.run(sleep_for(1ms));
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log.at(0).task_name, "test_task");
}

// --- test_threads: to_thread is offload_blocking, on a worker of a runtime

TEST(test_threads, test_to_thread) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<int> {
    auto work = offload_blocking([] { return 40 + 2; });
    const int value = co_await work;
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 42);
}

TEST(test_threads, test_to_thread_exception) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<> {
    auto work = offload_blocking([]() -> int { throw boom("test"); });
    (void)co_await work;
  };
  EXPECT_THROW(rt.run(main()), boom);
}

TEST(test_threads, test_to_thread_once) {
  runtime rt(std::size_t{1});
  std::atomic<int> calls{0};
  auto main = [&]() -> task<> {
    auto work = offload_blocking([&calls] { ++calls; });
    co_await work;
  };
  rt.run(main());
  EXPECT_EQ(calls.load(), 1);
}

TEST(test_threads, test_to_thread_concurrent) {
  runtime rt(std::size_t{1});
  std::atomic<int> calls{0};
  auto item = [&](std::uint64_t) -> task<> {
    auto work = offload_blocking([&calls] { ++calls; });
    co_await work;
  };
  auto b = rt.dispatch(10, item);
  b.get();
  EXPECT_EQ(calls.load(), 10);
}

TEST(test_threads, test_to_thread_args_kwargs) {
  runtime rt(std::size_t{1});
  auto main = [](int base, int more) -> task<int> {
    auto work = offload_blocking([base, more] { return base + more; });
    const int value = co_await work;
    co_return value;
  };
  EXPECT_EQ(rt.run(main(42, 7)), 49);
}

TEST(test_threads, test_to_thread_contextvars) {
  runtime rt(std::size_t{1});
  const context_var<std::string> name("name");
  auto main = [&]() -> task<> {
    (void)name.set("parrot");
    auto work = offload_blocking([&name] { return name.get(); });
    const std::string seen = co_await work;
    EXPECT_EQ(seen, "parrot");
  };
  rt.run(main());
}

}  // namespace
}  // namespace harrier::test
