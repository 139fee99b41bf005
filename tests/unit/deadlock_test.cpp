// SPDX-License-Identifier: Apache-2.0
// On a virtual clock a loop with nothing left to run says so instead of hanging.
#include "support.hpp"

#include <optional>

namespace harrier::test {
namespace {

TEST(deadlock, of_tasks_that_await_each_other_is_reported) {
  virtual_clock time;
  runner r(on(time));
  std::optional<join_handle<void>> first;
  std::optional<join_handle<void>> second;
  auto wait_for = [](std::optional<join_handle<void>>& other) -> task<> { co_await *other; };
  first = r.loop().spawn(wait_for(second));
  second = r.loop().spawn(wait_for(first));
  auto main = []() -> task<> {
    gate never;
    co_await never.wait();
  };
  std::string text;
  try {
    r.run(main());
    ADD_FAILURE() << "nobody noticed";
  } catch (const deadlock& e) {
    text = e.what();
  }
  EXPECT_NE(text.find("nothing left to run"), std::string::npos) << text;
  r.close();
}

TEST(deadlock, leaves_the_runner_usable) {
  virtual_clock time;
  runner r(on(time));
  gate g;
  auto main = [&]() -> task<> { co_await g.wait(); };
  EXPECT_THROW(r.run(main()), deadlock);
  EXPECT_EQ(r.run(give(4)), 4);
  g.open();
  r.run(yield());
  EXPECT_EQ(r.loop().live_tasks(), 0u) << "once somebody opens the gate, the waiter ends";
}

TEST(deadlock, is_not_seen_where_a_timer_is_left) {
  virtual_clock time;
  runner r(on(time));
  gate g;
  auto opener = [&]() -> task<> {
    co_await sleep_for(24h);
    g.open();
  };
  auto main = [&]() -> task<> {
    spawn(opener()).detach();
    co_await g.wait();
  };
  r.run(main());
  EXPECT_EQ(time.now(), time_point{} + 24h);
}

TEST(deadlock, is_not_seen_where_a_post_is_left) {
  virtual_clock time;
  runner r(on(time));
  gate g;
  on_another_thread([&] { r.loop().post([&] { g.open(); }); });
  r.run(g.wait());
}

// What waits at a foreign awaitable cannot be cancelled. close() must end nevertheless.
TEST(deadlock, close_names_a_task_that_waits_for_what_never_comes) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  gate never;
  auto main = [&](tracked /*local*/) -> task<> { co_await never.wait(); };
  EXPECT_THROW(r.run(main(tracked())), deadlock);
  r.close();
  EXPECT_EQ(r.state(), runner_state::closed);
  EXPECT_EQ(live_frames(), 0u);
}

}  // namespace
}  // namespace harrier::test
