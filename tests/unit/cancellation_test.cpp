// SPDX-License-Identifier: Apache-2.0
// Cancelling a task: T1-T6, T9, T11 of docs/asyncio.md. Edge-triggered: one request throws once, at
// a real suspension.
#include "support.hpp"

#include <optional>
#include <type_traits>

namespace harrier::test {
namespace {

// catch (const std::exception&) must not swallow a cancel.
static_assert(!std::is_base_of_v<std::exception, cancelled>);

TEST(cancellation, is_thrown_at_the_await_that_waits) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto child = [&]() -> task<> {
    order += 'a';
    try {
      co_await sleep_for(1h);
      order += '!';
    } catch (const cancelled&) {
      order += 'c';
      throw;
    }
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    co_await yield();
    EXPECT_TRUE(handle.cancel());
    EXPECT_FALSE(handle.done()) << "cancel() asks; it does not wait";
    bool was_cancelled = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    EXPECT_TRUE(handle.done() || !handle.valid());
  };
  r.run(main());
  EXPECT_EQ(order, "ac");
  EXPECT_EQ(time.now(), time_point{});
}

TEST(cancellation, is_not_swallowed_by_catching_std_exception) {
  virtual_clock time;
  runner r(on(time));
  bool swallowed = false;
  auto child = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const std::exception&) {
      swallowed = true;
    }
  };
  auto handle = r.loop().spawn(child());
  auto main = [&]() -> task<> {
    co_await yield();
    handle.cancel();
    bool was_cancelled = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
  };
  r.run(main());
  EXPECT_FALSE(swallowed);
}

// T1
TEST(cancellation, of_a_done_task_is_refused) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto handle = spawn(give(8));
    co_await sleep_for(1ms);
    EXPECT_TRUE(handle.done());
    EXPECT_FALSE(handle.cancel());
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 8);
}

// T2, T6
TEST(cancellation, that_is_swallowed_is_over) {
  virtual_clock time;
  runner r(on(time));
  auto child = []() -> task<int> {
    int cancels = 0;
    for (int i = 0; i < 3; ++i) {
      try {
        co_await sleep_for(1ms);
      } catch (const cancelled&) {
        ++cancels;
      }
    }
    co_return cancels;
  };
  auto main = [&]() -> task<int> {
    auto handle = spawn(child());
    co_await yield();
    handle.cancel();
    const int cancels = co_await handle;
    co_return cancels;
  };
  EXPECT_EQ(r.run(main()), 1);
}

// T2: each request throws once.
TEST(cancellation, requested_again_after_it_was_swallowed_throws_again) {
  virtual_clock time;
  runner r(on(time));
  auto child = []() -> task<int> {
    int cancels = 0;
    while (cancels < 3) {
      try {
        co_await sleep_for(1h);
      } catch (const cancelled&) {
        ++cancels;
      }
    }
    co_return cancels;
  };
  auto main = [&]() -> task<int> {
    auto handle = spawn(child());
    for (int i = 0; i < 3; ++i) {
      co_await sleep_for(1ms);
      EXPECT_TRUE(handle.cancel());
    }
    const int cancels = co_await handle;
    co_return cancels;
  };
  EXPECT_EQ(r.run(main()), 3);
  EXPECT_LT(time.now(), time_point{} + 1h);
}

// T3
TEST(cancellation, of_a_task_that_awaits_a_child_unwinds_from_the_innermost_await) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto inner = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      order += '1';
      throw;
    }
  };
  auto middle = [&]() -> task<> {
    auto child = inner();
    try {
      co_await child;
    } catch (const cancelled&) {
      order += '2';
      throw;
    }
  };
  auto outer = [&]() -> task<> {
    auto child = middle();
    try {
      co_await child;
    } catch (const cancelled&) {
      order += '3';
      throw;
    }
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(outer());
    co_await yield();
    handle.cancel();
    try {
      co_await handle;
    } catch (const cancelled&) {
      order += '4';
    }
  };
  r.run(main());
  EXPECT_EQ(order, "1234");
}

// T3: awaiting a spawned task passes the cancel on to it.
TEST(cancellation, of_a_task_that_awaits_a_handle_cancels_the_awaited_task) {
  virtual_clock time;
  runner r(on(time));
  bool inner_cancelled = false;
  auto inner = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      inner_cancelled = true;
      throw;
    }
  };
  auto outer = [&]() -> task<> {
    auto handle = spawn(inner());
    co_await handle;
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(outer());
    co_await yield();
    co_await yield();
    handle.cancel();
    bool was_cancelled = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
  };
  r.run(main());
  EXPECT_TRUE(inner_cancelled);
  EXPECT_LT(time.now(), time_point{} + 1h);
}

// T4: a task that runs sees its cancel at its next real suspension.
TEST(cancellation, of_the_running_task_itself_is_thrown_at_its_next_suspension) {
  virtual_clock time;
  runner r(on(time));
  std::optional<join_handle<void>> self;
  std::string order;
  auto body = [&]() -> task<> {
    EXPECT_TRUE(self->cancel());
    order += 'a';
    co_await give(1);  // a child that does not suspend: no delivery
    ready_int op(2);
    co_await op;  // a ready await: no delivery
    order += 'b';
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      order += 'c';
    }
  };
  self = r.loop().spawn(body());
  r.run(sleep_for(1ms));
  EXPECT_EQ(order, "abc");
  EXPECT_TRUE(self->done());
}

// T4: a cancel that found no suspension turns the result into cancelled.
TEST(cancellation, that_is_due_when_the_body_ends_replaces_the_result) {
  virtual_clock time;
  runner r(on(time));
  std::optional<join_handle<tracked>> self;
  auto body = [&]() -> task<tracked> {
    EXPECT_TRUE(self->cancel());
    co_return tracked();
  };
  self = r.loop().spawn(body());
  auto main = [&]() -> task<bool> {
    bool was_cancelled = false;
    try {
      co_await *self;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    co_return was_cancelled;
  };
  EXPECT_TRUE(r.run(main()));
}

// T4: also when that suspension is a yield.
TEST(cancellation, is_thrown_by_a_yield) {
  virtual_clock time;
  runner r(on(time));
  auto child = [&]() -> task<int> {
    int turns = 0;
    try {
      for (;;) {
        ++turns;
        co_await yield();
      }
    } catch (const cancelled&) {
      turns += 1000;
    }
    co_return turns;
  };
  auto main = [&]() -> task<int> {
    auto handle = spawn(child());
    co_await yield();
    co_await yield();
    handle.cancel();
    const int turns = co_await handle;
    co_return turns;
  };
  const int turns = r.run(main());
  EXPECT_GT(turns, 1000);
  EXPECT_LT(turns, 1010);
}

// T5: the awaited timer has fired and the task is ready but has not run: the cancel wins.
TEST(cancellation, of_a_task_that_is_ready_wins_over_the_value) {
  virtual_clock time;
  runner r(on(time));
  bool was_cancelled = false;
  auto sleeper = [&]() -> task<> {
    try {
      co_await sleep_until(time_point{} + 1ms);
    } catch (const cancelled&) {
      was_cancelled = true;
    }
  };
  auto main = [&]() -> task<> {
    std::optional<join_handle<void>> handle;
    auto first = [&]() -> task<> {
      co_await sleep_until(time_point{} + 1ms);  // due before the sleeper, in the same turn
      EXPECT_TRUE(handle->cancel());
    };
    auto canceller = spawn(first());
    handle = spawn(sleeper());
    co_await canceller;
    co_await *handle;
  };
  r.run(main());
  EXPECT_TRUE(was_cancelled);
}

// T6
TEST(cancellation, that_is_caught_gives_a_normal_result) {
  virtual_clock time;
  runner r(on(time));
  auto child = []() -> task<int> {
    int value = 0;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      value = 77;
    }
    co_return value;
  };
  auto main = [&]() -> task<int> {
    auto handle = spawn(child());
    co_await yield();
    handle.cancel();
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 77);
}

// T6: another exception on the way out replaces it.
TEST(cancellation, that_is_turned_into_an_error_gives_that_error) {
  virtual_clock time;
  runner r(on(time));
  auto child = []() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      throw boom("instead");
    }
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    co_await yield();
    handle.cancel();
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

// T9
TEST(cancellation, carries_its_message_through_several_awaits) {
  virtual_clock time;
  runner r(on(time));
  auto inner = []() -> task<> { co_await sleep_for(1h); };
  auto outer = [&]() -> task<> {
    auto child = inner();
    co_await child;
  };
  auto main = [&]() -> task<std::string> {
    auto handle = spawn(outer());
    co_await yield();
    handle.cancel("the user left");
    std::string text;
    try {
      co_await handle;
    } catch (const cancelled& c) {
      text = c.what();
    }
    co_return text;
  };
  EXPECT_EQ(r.run(main()), "the user left");
}

// R45
TEST(cancellation, before_the_start_means_that_the_body_never_runs) {
  virtual_clock time;
  runner r(on(time));
  bool started = false;
  auto handle = r.loop().spawn(hold(tracked(), started));
  EXPECT_TRUE(handle.cancel());
  r.run(yield());
  EXPECT_FALSE(started);
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(tracked::alive(), 0) << "its parameters are released";
}

TEST(cancellation, reaches_a_task_from_another_thread) {
  runner r;  // the steady clock: the loop really sleeps until the other thread cancels
  auto main = []() -> task<bool> {
    auto handle = spawn(sleep_for_ever());
    co_await yield();
    std::thread canceller([&] { EXPECT_TRUE(handle.cancel()); });
    bool was_cancelled = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    canceller.join();
    co_return was_cancelled;
  };
  EXPECT_TRUE(r.run(main()));
}

TEST(cancellation, in_cleanup_does_not_disturb_the_cleanup) {
  virtual_clock time;
  runner r(on(time));
  bool cleaned = false;
  auto child = [&]() -> task<> {
    bool was_cancelled = false;
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    co_await sleep_for(10ms);
    cleaned = was_cancelled;
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    co_await yield();
    handle.cancel();
    co_await handle;
  };
  r.run(main());
  EXPECT_TRUE(cleaned);
  EXPECT_EQ(time.now(), time_point{} + 10ms);
}

// The one who awaits a cancelled task and is not cancelled itself just sees the exception.
TEST(cancellation, of_an_awaited_task_does_not_cancel_the_awaiter) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto handle = spawn(sleep_for_ever());
    co_await yield();
    handle.cancel();
    bool seen = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      seen = true;
    }
    EXPECT_TRUE(seen);
    co_await sleep_for(1ms);
    co_await yield();
    co_return 9;
  };
  EXPECT_EQ(r.run(main()), 9);
}

}  // namespace
}  // namespace harrier::test
