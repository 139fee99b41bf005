// SPDX-License-Identifier: Apache-2.0
// A runner and threads: rules R95-R98 of docs/asyncio.md.
#include "support.hpp"

#include <signal.h>

namespace harrier::test {
namespace {

// R95
TEST(runner_threads, is_used_from_one_thread_after_the_other) {
  virtual_clock time;
  runner r(on(time));
  event_loop* const loop = &r.loop();
  int steps = 0;
  auto background = [&]() -> task<> {
    for (;;) {
      ++steps;
      co_await sleep_for(1ms);
    }
  };
  auto main = [&]() -> task<> {
    spawn(background()).detach();
    co_await yield();
  };
  r.run(main());
  for (int i = 0; i < 3; ++i) {
    on_another_thread([&] {
      EXPECT_EQ(&r.loop(), loop);
      EXPECT_EQ(r.run(sleep_then(1ms, i)), i);
    });
  }
  EXPECT_GE(steps, 3);
  on_another_thread([&] { r.close(); });
  EXPECT_EQ(r.state(), runner_state::closed);
}

// R95
TEST(runner_threads, is_destroyed_on_another_thread_than_it_ran_on) {
  virtual_clock time;
  auto r = std::make_unique<runner>(on(time));
  auto main = []() -> task<> {
    spawn(sleep_for_ever()).detach();
    co_await yield();
  };
  r->run(main());
  on_another_thread([&] { r.reset(); });
  EXPECT_EQ(live_frames(), 0u);
}

// R96
TEST(runner_threads, second_thread_is_told_that_it_is_already_running) {
  runner r;
  bool started = false;
  auto second = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto main = [&]() -> task<int> {
    on_another_thread([&] {
      EXPECT_THROW(r.run(second()), already_running);
      std::vector<task<int>> tasks;
      tasks.push_back(give(1));
      EXPECT_THROW((void)r.run_all(std::move(tasks)), already_running);
      EXPECT_THROW(r.close(), already_running);
    });
    co_return 1;
  };
  EXPECT_EQ(r.run(main()), 1);
  EXPECT_FALSE(started);
  EXPECT_EQ(r.state(), runner_state::initialized);
  EXPECT_EQ(r.run(give(2)), 2);
}

// R97: post() is the way in from another thread, whether the loop runs or not.
TEST(runner_threads, post_from_another_thread_reaches_the_loop) {
  virtual_clock time;
  runner r(on(time));
  event_loop& loop = r.loop();
  int calls = 0;
  on_another_thread([&] { loop.post([&] { ++calls; }); });
  EXPECT_EQ(calls, 0);
  r.run(yield());
  EXPECT_EQ(calls, 1);
}

// R98: a runner leaves signals alone unless it is asked, on the main thread and on others.
TEST(runner_threads, signal_handlers_are_left_alone) {
  const auto current = [] {
    struct sigaction action{};
    sigaction(SIGINT, nullptr, &action);
    return action.sa_handler;
  };
  const auto before = current();
  auto main = [&]() -> task<bool> { co_return current() == before; };
  {
    runner r;
    EXPECT_TRUE(r.run(main()));
    on_another_thread([&] { EXPECT_TRUE(run(main())); });
  }
  EXPECT_EQ(current(), before);
}

}  // namespace
}  // namespace harrier::test
