// SPDX-License-Identifier: Apache-2.0
// test_runners: asyncio.run and asyncio.Runner. The cases are about runners themselves, so each makes
// its own.
// Left out: test_asyncio_run_without_uncancel (no task type here lacks it),
// test_loop_factory_default_event_loop (there is one loop type: event_loop), and
// test_signal_install_not_supported_ok, of which tests/unit/signals_test.cpp has what can be had: a
// handler that is not the default is left alone, in silence.
#include "unit/support.hpp"

#include <csignal>
#include <cstdlib>

namespace harrier::test {
namespace {

TEST(test_runners, test_asyncio_run_return) {
  auto main = []() -> task<int> {
    co_await yield();
    co_return 42;
  };
  EXPECT_EQ(run(main()), 42);
}

TEST(test_runners, test_asyncio_run_raises) {
  auto main = []() -> task<> {
    co_await yield();
    throw std::invalid_argument("spam");
  };
  try {
    run(main());
    FAIL() << "nothing was thrown";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "spam");
  }
}

// There a value error, here what is no awaitable does not compile; any awaitable is taken.
template <class A>
concept can_run = requires(A&& a) { run(std::forward<A>(a)); };

TEST(test_runners, test_asyncio_run_only_coro) {
  static_assert(!can_run<int>);
  static_assert(!can_run<task<int> (*)()>);
  static_assert(can_run<task<int>>);
}

TEST(test_runners, test_asyncio_run_debug) {
  auto debug_of = [](debug_mode mode) {
    runner_options options;
    options.debug = mode;
    runner r(options);
    auto main = []() -> task<bool> { co_return this_loop().is_debug(); };
    return r.run(main());
  };
  EXPECT_FALSE(debug_of(debug_mode::off));
  EXPECT_TRUE(debug_of(debug_mode::on));
  ::setenv("HARRIER_DEBUG", "1", 1);
  EXPECT_TRUE(debug_of(debug_mode::from_environment));
  EXPECT_FALSE(debug_of(debug_mode::off));
  ::unsetenv("HARRIER_DEBUG");
  EXPECT_FALSE(debug_of(debug_mode::from_environment));
}

TEST(test_runners, test_asyncio_run_from_running_loop) {
  auto main = []() -> task<> {
    EXPECT_THROW(run(give(1)), loop_running);
    co_return;
  };
  run(main());
}

TEST(test_runners, test_asyncio_run_cancels_hanging_tasks) {
  join_handle<void> left;
  auto main = [&]() -> task<int> {
    left = spawn(sleep_for_ever());
    co_await yield();
    co_return 123;
  };
  EXPECT_EQ(run(main()), 123);
  EXPECT_TRUE(left.done());
}

TEST(test_runners, test_asyncio_run_reports_hanging_tasks_errors) {
  error_log log;
  runner_options options;
  options.exception_handler = std::ref(log);
  auto leftover = []() -> task<> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      throw boom("in the leftover");
    }
  };
  auto main = [&]() -> task<int> {
    spawn(leftover(), "leftover").detach();
    co_await yield();
    co_return 123;
  };
  {
    runner r(options);
    EXPECT_EQ(r.run(main()), 123);
  }
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log.at(0).task_name, "leftover");
  EXPECT_TRUE(holds<boom>(log.at(0).error));
}

/// A factory that counts, and keeps what it made.
class factory {
 public:
  runner_options options() {
    runner_options o;
    o.loop_factory = [this] {
      ++made;
      loop = std::make_shared<event_loop>(time);
      return loop;
    };
    return o;
  }
  int made = 0;
  virtual_clock time;
  std::shared_ptr<event_loop> loop;
};

TEST(test_runners, test_asyncio_run_loop_factory) {
  factory f;
  auto main = [&]() -> task<> {
    EXPECT_EQ(&this_loop(), f.loop.get());
    co_return;
  };
  {
    runner r(f.options());
    r.run(main());
  }
  EXPECT_EQ(f.made, 1);
}

TEST(test_runners, test_non_debug) {
  runner_options options;
  options.debug = debug_mode::off;
  runner r(options);
  EXPECT_FALSE(r.loop().is_debug());
}

TEST(test_runners, test_debug) {
  runner_options options;
  options.debug = debug_mode::on;
  runner r(options);
  EXPECT_TRUE(r.loop().is_debug());
}

TEST(test_runners, test_custom_factory) {
  factory f;
  runner r(f.options());
  event_loop& loop = r.loop();
  EXPECT_EQ(&loop, f.loop.get());
  EXPECT_EQ(&r.loop(), &loop);
  EXPECT_EQ(f.made, 1);
}

TEST(test_runners, test_run) {
  factory f;
  auto main = []() -> task<std::string> {
    co_await yield();
    co_return "done";
  };
  runner r(f.options());
  EXPECT_EQ(r.run(main()), "done");
  r.close();
  EXPECT_THROW((void)r.loop(), runner_closed);
  EXPECT_TRUE(f.loop->is_closed());
}

TEST(test_runners, test_explicit_close) {
  factory f;
  runner r(f.options());
  (void)r.loop();
  r.close();
  EXPECT_THROW((void)r.loop(), runner_closed);
  EXPECT_TRUE(f.loop->is_closed());
}

TEST(test_runners, test_double_close) {
  runner r;
  (void)r.loop();
  r.close();
  r.close();
  EXPECT_EQ(r.state(), runner_state::closed);
}

TEST(test_runners, test_second_with_block_raises) {
  runner r;
  r.run(give(1));
  r.close();
  EXPECT_THROW(r.run(give(1)), runner_closed);
}

TEST(test_runners, test_recursive_run) {
  runner r;
  bool started = false;
  auto inner = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto main = [&]() -> task<> {
    EXPECT_THROW(r.run(inner()), loop_running);
    co_return;
  };
  r.run(main());
  EXPECT_FALSE(started);
}

runner_options interruptible(clock& time) {
  runner_options options = on(time);
  options.handle_signals = signals::interrupt;
  return options;
}

TEST(test_runners, test_interrupt_call_soon) {
  virtual_clock time;
  runner r(interruptible(time));
  bool was_cancelled = false;
  auto main = [&]() -> task<> {
    this_loop().call_later(100ms, [] { ::raise(SIGINT); });
    try {
      for (;;) {
        co_await yield();
        time.advance(1ms);
      }
    } catch (const cancelled&) {
      was_cancelled = true;
      throw;
    }
  };
  EXPECT_THROW(r.run(main()), interrupted);
  EXPECT_TRUE(was_cancelled);
}

// What main waits for is cancelled as well.
TEST(test_runners, test_interrupt_wait) {
  virtual_clock time;
  runner r(interruptible(time));
  r.loop().call_later(1ms, [] { ::raise(SIGINT); });
  auto waited_for = r.loop().spawn(sleep_for_ever());
  auto main = [&]() -> task<> { co_await waited_for; };
  EXPECT_THROW(r.run(main()), interrupted);
  EXPECT_TRUE(waited_for.done());
}

TEST(test_runners, test_interrupt_cancelled_task) {
  virtual_clock time;
  runner r(interruptible(time));
  auto waited_for = r.loop().spawn(sleep_for_ever());
  r.loop().call_later(1ms, [&] { waited_for.cancel(); });
  auto main = [&]() -> task<> { co_await waited_for; };
  EXPECT_THROW(r.run(main()), run_cancelled) << "cancelled, but not by a signal";
  EXPECT_EQ(r.run(give(2)), 2);
}

// "The loop is set up once" is all that is left of it without a current loop.
TEST(test_runners, test_set_event_loop_called_once) {
  factory f;
  runner r(f.options());
  r.run(give(1));
  r.run(give(2));
  EXPECT_EQ(f.made, 1);
}

TEST(test_runners, test_no_repr_is_call_on_the_task_result) {
  class counted {
   public:
    counted() = default;
    counted(const counted& other) : copies(other.copies + 1) {}
    counted(counted&& other) noexcept : copies(other.copies) {}
    counted& operator=(const counted&) = delete;
    int copies = 0;
  };
  auto main = []() -> task<counted> { co_return counted(); };
  EXPECT_EQ(run(main()).copies, 0) << "the result is moved, and never looked at";
}

}  // namespace
}  // namespace harrier::test
