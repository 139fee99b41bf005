// SPDX-License-Identifier: Apache-2.0
// Limits on time beyond what asyncio's tests ask: who cancelled, timers that stay on another worker.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <memory>
#include <optional>

namespace harrier::test {
namespace {

TEST(timeout, that_is_not_needed_leaves_no_timer_behind) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto op = with_timeout(1h, give(3));
    const int value = co_await op;
    EXPECT_TRUE(this_loop().timers().empty());
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 3);
  EXPECT_EQ(time.now(), time_point{});
}

TEST(timeout, carries_references_and_move_only_values) {
  virtual_clock time;
  runner r(on(time));
  int target = 0;
  auto refers = [&]() -> task<int&> { co_return target; };
  auto owns = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  auto main = [&]() -> task<> {
    auto first = with_timeout(1h, refers());
    int& referred = co_await first;
    EXPECT_EQ(&referred, &target);
    auto second = with_timeout(1h, owns());
    const std::unique_ptr<int> owned = co_await second;
    EXPECT_EQ(*owned, 5);
  };
  r.run(main());
}

// T8: both the limit and somebody outside: the outside wins, and the count is right.
TEST(timeout, and_a_cancel_from_outside_at_once_is_a_cancel) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto body = []() -> task<> {
      auto op = with_timeout(5ms, sleep_for_ever());
      co_await op;
    };
    auto handle = spawn(body());
    auto canceller = [&]() -> task<> {
      co_await sleep_for(5ms);
      handle.cancel();
    };
    auto other = spawn(canceller());
    bool was_cancelled = false;
    try {
      co_await handle;
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    EXPECT_EQ(handle.cancelling(), 1u);
    co_await other;
  };
  r.run(main());
}

// The limit's cancel was never delivered, because the work ended first: it must not hit what follows.
TEST(timeout, that_comes_too_late_cancels_nothing_afterwards) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    const task_ref self = co_await current_task();
    timeout_scope scope(5ms);
    auto computes = [&]() -> task<int> {
      co_await sleep_for(1ms);
      scope.reschedule(this_loop().now());  // over, while the task runs
      co_return 8;
    };
    auto op = scope.run(computes());
    EXPECT_EQ(co_await op, 8);
    EXPECT_TRUE(scope.expired());
    EXPECT_EQ(self.cancelling(), 0u);
    co_await yield();
    co_await sleep_for(1ms);
  };
  r.run(main());
}

// The same in a task that was cancelled before and did not take it back.
TEST(timeout, that_comes_too_late_after_a_cancel_cancels_nothing_afterwards) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    const task_ref self = co_await current_task();
    self.cancel();
    try {
      co_await yield();
    } catch (const cancelled&) {  // and not taken back
    }
    timeout_scope scope(0s);
    auto op = scope.run(give(8));
    EXPECT_EQ(co_await op, 8);
    EXPECT_EQ(self.cancelling(), 1u);
    co_await yield();
    self.uncancel();
  };
  r.run(main());
}

// A cancel that was due before the entry belongs to somebody else.
TEST(timeout, keeps_a_cancel_that_was_due_before_it) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    const task_ref self = co_await current_task();
    self.cancel();
    timeout_scope scope(0s);
    auto op = scope.run(give(8));
    EXPECT_EQ(co_await op, 8);
    bool was_cancelled = false;
    try {
      co_await yield();
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    self.uncancel();
  };
  r.run(main());
}

TEST(timeout, can_be_moved_by_a_body_that_gets_its_scope) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    auto body = [](timeout_scope& scope) -> task<int> {
      for (int i = 0; i < 10; ++i) {
        co_await sleep_for(4ms);
        scope.reschedule(this_loop().now() + 5ms);
      }
      co_return 1;
    };
    auto op = with_timeout(5ms, body);
    EXPECT_EQ(co_await op, 1);
  };
  r.run(main());
  EXPECT_EQ(time.now(), time_point{} + 40ms);
}

TEST(timeout, of_zero_drops_a_task_unstarted) {
  virtual_clock time;
  runner r(on(time));
  bool started = false;
  auto main = [&]() -> task<> {
    auto op = with_timeout(0s, hold(tracked(), started));
    bool out = false;
    try {
      co_await op;
    } catch (const timed_out&) {
      out = true;
    }
    EXPECT_TRUE(out);
  };
  r.run(main());
  EXPECT_FALSE(started);
}

TEST(timeout, of_an_invalid_task_is_refused) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto gone = give(1);
    auto taken = std::move(gone);
    auto op = with_timeout(1s, std::move(gone));
    bool refused = false;
    try {
      co_await op;
    } catch (const invalid_task&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    co_await taken;
  };
  r.run(main());
}

// The timer stays where it was set; the task goes to another worker and back.
TEST(timeout, of_a_task_that_moves_between_workers) {
  runtime_options options;
  options.workers = 2;
  runtime rt(options);
  auto moves = []() -> task<int> {
    auto there = resume_on(1);
    co_await there;
    co_return 4;
  };
  auto main = [&]() -> task<int> {
    timeout_scope scope(1h);
    auto op = scope.run(moves());
    const int value = co_await op;
    EXPECT_FALSE(scope.expired());
    EXPECT_EQ(this_worker::id(), std::optional<std::size_t>(1)) << "it is bound there";
    co_return value;
  };
  auto handle = rt.spawn_on(0, main());
  EXPECT_EQ(handle.get(), 4);
}

TEST(timeout, that_expires_after_the_task_has_moved) {
  runtime_options options;
  options.workers = 2;
  runtime rt(options);
  auto moves = []() -> task<> {
    auto there = resume_on(1);
    co_await there;
    for (;;) co_await sleep_for(1h);
  };
  auto main = [&]() -> task<bool> {
    timeout_scope scope(1ms);
    auto op = scope.run(moves());
    bool out = false;
    try {
      co_await op;
    } catch (const timed_out&) {
      out = true;
    }
    EXPECT_TRUE(scope.expired());
    const task_ref self = co_await current_task();
    EXPECT_EQ(self.cancelling(), 0u);
    co_return out;
  };
  auto handle = rt.spawn_on(0, main());
  EXPECT_TRUE(handle.get());
}

TEST(timeout, can_be_moved_from_another_worker_than_its_timers) {
  runtime_options options;
  options.workers = 2;
  runtime rt(options);
  auto main = [&]() -> task<bool> {
    timeout_scope scope(24h);
    auto moves = [&]() -> task<> {
      auto there = resume_on(1);
      co_await there;
      scope.reschedule(this_loop().now() + 1ms);
      for (;;) co_await sleep_for(1h);
    };
    auto op = scope.run(moves());
    bool out = false;
    try {
      co_await op;
    } catch (const timed_out&) {
      out = true;
    }
    co_return out;
  };
  auto handle = rt.spawn_on(0, main());
  EXPECT_TRUE(handle.get());
}

TEST(timeout, of_many_items_of_a_batch) {
  runtime rt(std::size_t{4});
  auto item = [](std::uint64_t i) -> task<int> {
    auto work = [](std::uint64_t index) -> task<int> {
      if (index % 16 == 0) {
        for (;;) co_await sleep_for(1h);
      }
      co_await yield();
      co_return 1;
    };
    int value = 0;
    try {
      auto op = with_timeout(i % 16 == 0 ? 1ms : 1h, work(i));
      value = co_await op;
    } catch (const timed_out&) {
      value = -1;
    }
    co_return value;
  };
  auto b = rt.dispatch(1000, item);
  const auto results = b.get();
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], i % 16 == 0 ? -1 : 1);
}

}  // namespace
}  // namespace harrier::test
