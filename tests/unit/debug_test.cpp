// SPDX-License-Identifier: Apache-2.0
// Debug mode, and what reports say. Rules R80-R89 of docs/asyncio.md.
#include "noted_lines.hpp"
#include "support.hpp"

#include <cstdlib>
#include <string_view>

namespace harrier::test {
namespace {

class watching {
 public:
  explicit watching(debug_mode mode = debug_mode::on) : r(options(mode)) {}

 private:
  runner_options options(debug_mode mode) {
    runner_options o = on(time);
    o.debug = mode;
    o.exception_handler = std::ref(log);
    return o;
  }

 public:
  virtual_clock time;
  error_log log;
  runner r;
};

/// Sets HARRIER_DEBUG for a scope.
class debug_environment {
 public:
  explicit debug_environment(const char* value) {
    const char* const present = std::getenv(name);
    was_set_ = present != nullptr;
    if (was_set_) before_ = present;
    ::setenv(name, value, 1);
  }
  ~debug_environment() { was_set_ ? ::setenv(name, before_.c_str(), 1) : ::unsetenv(name); }
  debug_environment(const debug_environment&) = delete;
  debug_environment& operator=(const debug_environment&) = delete;

 private:
  static constexpr const char* name = "HARRIER_DEBUG";
  bool was_set_ = false;
  std::string before_;
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// R80
TEST(debug_mode, has_three_values) {
  EXPECT_TRUE(watching(debug_mode::on).r.loop().is_debug());
  EXPECT_FALSE(watching(debug_mode::off).r.loop().is_debug());
  {
    const debug_environment set("1");
    EXPECT_TRUE(watching(debug_mode::from_environment).r.loop().is_debug());
    EXPECT_FALSE(watching(debug_mode::off).r.loop().is_debug());
  }
  for (const char* value : {"", "0"}) {
    const debug_environment set(value);
    EXPECT_FALSE(watching(debug_mode::from_environment).r.loop().is_debug());
    EXPECT_TRUE(watching(debug_mode::on).r.loop().is_debug());
  }
}

// R81, R84
TEST(debug_mode, reports_a_slow_step_of_a_task_by_name_and_place) {
  watching w;
  auto slow = [&]() -> task<> {
    co_await yield();
    w.time.advance(150ms);  // stands for work
    co_await yield();
  };
  const unsigned spawned = __LINE__ + 1;
  auto main = [&]() -> task<> { co_await spawn(slow(), "slow"); };
  w.r.run(main());
  ASSERT_EQ(w.log.size(), 1u);
  const error_report report = w.log.at(0);
  EXPECT_EQ(report.message, "a step of a task took 150 ms");
  EXPECT_EQ(report.task_name, "slow");
  EXPECT_EQ(lines_of(report.waits_at), lines_if_noted({spawned - 5})) << "where the step began";
  ASSERT_TRUE(report.spawned_at.has_value());
  EXPECT_EQ(report.spawned_at->line(), spawned);
  EXPECT_TRUE(ends_with(report.spawned_at->file_name(), "debug_test.cpp"));
}

// R81
TEST(debug_mode, reports_a_slow_first_step_and_a_slow_callback) {
  watching w;
  auto slow = [&]() -> task<> {
    w.time.advance(100ms);
    co_return;
  };
  w.r.run(slow());
  w.r.loop().call_soon([&] { w.time.advance(99ms); });
  w.r.loop().call_soon([&] { w.time.advance(2s); });
  w.r.run(yield());
  ASSERT_EQ(w.log.size(), 2u);
  EXPECT_EQ(w.log.at(0).message, "a step of a task took 100 ms");
  EXPECT_EQ(w.log.at(0).task_name, "main");
  EXPECT_EQ(w.log.at(1).message, "a callback took 2000 ms");
}

TEST(debug_mode, the_bound_is_an_option) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.debug = debug_mode::on;
  options.slow_step = 5ms;
  options.exception_handler = std::ref(log);
  runner r(options);
  r.loop().call_soon([&] { time.advance(4ms); });
  r.loop().call_soon([&] { time.advance(5ms); });
  r.run(yield());
  EXPECT_EQ(log.size(), 1u);
}

TEST(debug_mode, off_reports_no_slow_step) {
  watching w(debug_mode::off);
  w.r.loop().call_soon([&] { w.time.advance(1h); });
  w.r.run(yield());
  EXPECT_EQ(w.log.size(), 0u);
}

// R82
TEST(debug_mode, calls_from_another_thread_are_refused) {
  watching w;
  auto main = [&]() -> task<> {
    on_another_thread([&] {
      EXPECT_THROW(w.r.loop().call_soon([] {}), wrong_thread);
      EXPECT_THROW((void)w.r.loop().spawn(give(1)), wrong_thread);
      EXPECT_THROW(w.r.loop().call_later(1s, [] {}), wrong_thread);
      w.r.loop().post([] {});
      w.r.loop().submit(give(1)).detach();
    });
    co_await yield();
  };
  w.r.run(main());
}

// R87
TEST(debug_mode, reports_a_task_that_nobody_ever_started) {
  watching w;
  auto main = []() -> task<> {
    {
      auto forgotten = give(1);
    }
    co_return;
  };
  w.r.run(main());
  ASSERT_EQ(w.log.size(), 1u);
  EXPECT_EQ(w.log.at(0).message, "a task was never awaited, run or spawned");
}

// R52: the refusal says it already.
TEST(debug_mode, a_refused_task_is_not_reported_again) {
  watching w;
  auto main = [&]() -> task<> {
    EXPECT_THROW(w.r.run(give(1)), loop_running);
    co_return;
  };
  w.r.run(main());
  EXPECT_EQ(w.log.size(), 0u);
}

TEST(debug_mode, off_drops_a_task_in_silence) {
  watching w(debug_mode::off);
  auto main = []() -> task<> {
    {
      auto forgotten = give(1);
    }
    co_return;
  };
  w.r.run(main());
  EXPECT_EQ(w.log.size(), 0u);
}

// R84, R85
TEST(debug_mode, an_unread_error_says_where_its_task_was_spawned) {
  watching w;
  const unsigned spawned = __LINE__ + 2;
  auto main = [&]() -> task<> {
    spawn(throw_boom(), "thrower").detach();
    co_await sleep_for(1ms);
  };
  w.r.run(main());
  ASSERT_EQ(w.log.size(), 1u);
  EXPECT_TRUE(holds<boom>(w.log.at(0).error));
  ASSERT_TRUE(w.log.at(0).spawned_at.has_value());
  EXPECT_EQ(w.log.at(0).spawned_at->line(), spawned);
}

// R88
TEST(exception_handler, that_throws_leaves_both_reports_on_stderr) {
  virtual_clock time;
  runner_options options = on(time);
  options.exception_handler = [](const error_report&) { throw boom("in the handler"); };
  runner r(options);
  r.loop().call_soon([] { throw boom("the original"); });
  testing::internal::CaptureStderr();
  r.run(yield());
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("the original"), std::string::npos) << text;
  EXPECT_NE(text.find("in the handler"), std::string::npos) << text;
}

// What is stuck is named with the lines where it waits, innermost first, debug mode or not.
TEST(runner_close, names_what_is_stuck_with_the_lines_where_it_waits) {
  watching w(debug_mode::off);
  const unsigned inner_line = __LINE__ + 4;
  auto inner = [&]() -> task<> {
    for (int cancels = 0; cancels < 2;) {
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
        ++cancels;
      }
    }
  };
  const unsigned outer_line = __LINE__ + 3;
  auto outer = [&]() -> task<> {
    auto work = inner();
    co_await work;
  };
  w.r.loop().spawn(outer(), "stuck").detach();
  w.r.run(yield());
  w.r.close(close_options().within(3s));
  ASSERT_EQ(w.log.size(), 1u);
  const error_report report = w.log.at(0);
  EXPECT_EQ(report.task_name, "stuck");
  EXPECT_EQ(lines_of(report.waits_at), lines_if_noted({inner_line, outer_line}));
  EXPECT_EQ(w.time.now().time_since_epoch(), 3s);
}

TEST(runner_close, drains_before_it_cancels) {
  watching w(debug_mode::off);
  std::string order;
  auto work = [&](duration time, char name) -> task<> {
    try {
      co_await sleep_for(time);
      order += name;
    } catch (const cancelled&) {
      order += static_cast<char>(name - 'a' + 'A');
    }
  };
  w.r.loop().spawn(work(1s, 'a')).detach();
  w.r.loop().spawn(work(3s, 'c')).detach();
  w.r.loop().spawn(work(2s, 'b')).detach();
  w.r.run(yield());
  w.r.close(close_options().drain_for(std::chrono::milliseconds(2500)));
  EXPECT_EQ(order, "abC");
  EXPECT_EQ(w.time.now().time_since_epoch(), std::chrono::milliseconds(2500));
}

TEST(runner_close, a_drain_ends_with_the_last_task) {
  watching w(debug_mode::off);
  auto work = []() -> task<> { co_await sleep_for(1s); };
  w.r.loop().spawn(work()).detach();
  w.r.run(yield());
  w.r.close(close_options().drain_for(1h));
  EXPECT_EQ(w.time.now().time_since_epoch(), 1s);
}

// One deadline for all of it.
TEST(runner_close, the_limit_cuts_the_drain) {
  watching w(debug_mode::off);
  bool cancelled_at_all = false;
  auto work = [&]() -> task<> {
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      cancelled_at_all = true;
    }
  };
  w.r.loop().spawn(work()).detach();
  w.r.run(yield());
  w.r.close(close_options().drain_for(1h).within(2s));
  EXPECT_TRUE(cancelled_at_all);
  EXPECT_EQ(w.time.now().time_since_epoch(), 2s);
}

// R75-R77
TEST(loop_factory, is_called_once_and_its_loop_is_the_running_one) {
  class timed_loop {
   public:
    virtual_clock time;
    event_loop loop{time};
  };
  int made = 0;
  runner_options options;
  std::weak_ptr<timed_loop> life;
  options.loop_factory = [&] {
    ++made;
    auto both = std::make_shared<timed_loop>();
    life = both;
    return std::shared_ptr<event_loop>(both, &both->loop);
  };
  {
    runner r(options);
    EXPECT_EQ(made, 0);
    event_loop* inside = nullptr;
    auto main = [&]() -> task<> {
      inside = &this_loop();
      co_await sleep_for(24h);
    };
    r.run(main());
    r.run(main());
    EXPECT_EQ(made, 1);
    EXPECT_EQ(inside, &life.lock()->loop);
    EXPECT_EQ(&r.loop(), inside);
    EXPECT_EQ(life.lock()->time.now().time_since_epoch(), 48h);
  }
  EXPECT_TRUE(life.expired());
}

TEST(loop_factory, that_fails_leaves_the_runner_created) {
  runner_options options;
  int calls = 0;
  options.loop_factory = [&]() -> std::shared_ptr<event_loop> {
    if (++calls == 1) throw boom();
    return nullptr;
  };
  runner r(options);
  EXPECT_THROW(r.run(give(1)), boom);
  EXPECT_THROW(r.run(give(1)), std::invalid_argument);
  EXPECT_EQ(r.state(), runner_state::created);
}

}  // namespace
}  // namespace harrier::test
