// SPDX-License-Identifier: Apache-2.0
// call_soon, call_later and call_at, and the handles that call them off. Rules L1-L5, L8 and R50 of
// docs/asyncio.md.
#include "support.hpp"

#include <memory>

namespace harrier::test {
namespace {

// L4, L5
TEST(call_later, runs_in_the_order_of_deadlines_first_in_first_out_among_equals) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  event_loop& loop = r.loop();
  loop.call_later(3ms, [&] { order += 'e'; });
  loop.call_later(1ms, [&] { order += 'b'; });
  loop.call_at(time_point(1ms), [&] { order += 'c'; });
  loop.call_later(1ms, [&] { order += 'd'; });
  loop.call_soon([&] { order += 'a'; });
  r.run(sleep_for(10ms));
  EXPECT_EQ(order, "abcde");
}

// L4
TEST(call_later, takes_negative_delays_in_the_order_of_their_deadlines) {
  virtual_clock time;
  runner r(on(time));
  time.advance(1h);
  std::string order;
  event_loop& loop = r.loop();
  loop.call_later(-1s, [&] { order += 'b'; });
  loop.call_later(duration::min(), [&] { order += 'a'; });
  loop.call_later(0s, [&] { order += 'd'; });
  loop.call_later(-1ms, [&] { order += 'c'; });
  r.run(yield());
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(time.now().time_since_epoch(), 1h);
}

TEST(call_later, says_when) {
  virtual_clock time;
  runner r(on(time));
  time.advance(1h);
  const callback_handle handle = r.loop().call_later(1min, [] {});
  EXPECT_EQ(handle.when().time_since_epoch(), 61min);
  EXPECT_EQ(r.loop().call_later(duration::max(), [] {}).when(), time_point::max());
}

TEST(call_later, a_dropped_handle_lets_the_callback_go_on) {
  virtual_clock time;
  runner r(on(time));
  bool ran = false;
  r.loop().call_later(1ms, [&] { ran = true; });
  r.run(sleep_for(2ms));
  EXPECT_TRUE(ran);
}

// A callback that comes back for itself starves nothing, and stops when it is called off.
TEST(call_later, a_callback_sets_itself_again) {
  virtual_clock time;
  runner r(on(time));
  int ticks = 0;
  callback_handle next;
  std::function<void()> tick = [&] {
    ++ticks;
    next = this_loop().call_later(1s, tick);
  };
  r.loop().call_soon(tick);
  r.run(sleep_for(std::chrono::milliseconds(4500)));
  EXPECT_EQ(ticks, 5);
  EXPECT_TRUE(next.cancel());
  r.run(sleep_for(10s));
  EXPECT_EQ(ticks, 5);
}

// L8
TEST(callback_handle, cancel_destroys_the_callback_at_once_and_is_idempotent) {
  virtual_clock time;
  runner r(on(time));
  bool ran = false;
  auto held = std::make_shared<int>(1);
  callback_handle timed = r.loop().call_later(1ms, [held, &ran] { ran = true; });
  callback_handle ready = r.loop().call_soon([held, &ran] { ran = true; });
  EXPECT_EQ(held.use_count(), 3);
  EXPECT_TRUE(timed.cancel());
  EXPECT_TRUE(ready.cancel());
  EXPECT_EQ(held.use_count(), 1) << "both closures are gone";
  EXPECT_FALSE(timed.cancel());
  EXPECT_FALSE(ready.cancel());
  EXPECT_TRUE(timed.is_cancelled());
  EXPECT_TRUE(ready.is_cancelled());
  r.run(sleep_for(1h));
  EXPECT_FALSE(ran);
}

// L6: it is not left in the heap until it would have been due.
TEST(callback_handle, a_cancelled_timer_is_gone_from_the_heap) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    event_loop& loop = this_loop();
    std::vector<callback_handle> handles;
    for (int i = 0; i < 1000; ++i) handles.push_back(loop.call_later(1h, [] {}));
    EXPECT_EQ(loop.timers().size(), 1000u);
    for (callback_handle& each : handles) EXPECT_TRUE(each.cancel());
    EXPECT_EQ(loop.timers().size(), 0u);
    co_return;
  };
  r.run(main());
}

TEST(callback_handle, cancel_after_the_call_is_refused) {
  virtual_clock time;
  runner r(on(time));
  int calls = 0;
  callback_handle self;
  self = r.loop().call_soon([&] {
    ++calls;
    EXPECT_FALSE(self.cancel()) << "while it runs it is too late";
  });
  r.run(yield());
  EXPECT_FALSE(self.cancel());
  EXPECT_FALSE(self.is_cancelled());
  EXPECT_EQ(calls, 1);
}

TEST(callback_handle, one_callback_calls_off_another_of_the_same_turn) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  callback_handle second;
  r.loop().call_soon([&] {
    order += 'a';
    EXPECT_TRUE(second.cancel());
  });
  second = r.loop().call_soon([&] { order += 'b'; });
  callback_handle due;
  r.loop().call_later(1ms, [&] {
    order += 'c';
    EXPECT_TRUE(due.cancel());
  });
  due = r.loop().call_later(1ms, [&] { order += 'd'; });
  r.run(sleep_for(5ms));
  EXPECT_EQ(order, "ac");
}

TEST(callback_handle, may_outlive_the_loop) {
  callback_handle timed;
  callback_handle ready;
  auto held = std::make_shared<int>(1);
  {
    runner r;
    timed = r.loop().call_later(1h, [held] {});
    ready = r.loop().call_soon([held] {});
  }
  EXPECT_EQ(held.use_count(), 1) << "the close dropped both";
  EXPECT_FALSE(timed.cancel());
  EXPECT_FALSE(ready.cancel());
  EXPECT_FALSE(callback_handle().cancel());
}

TEST(callback_handle, cancels_from_another_thread) {
  virtual_clock time;
  runner r(on(time));
  bool ran = false;
  auto held = std::make_shared<int>(1);
  callback_handle timed = r.loop().call_later(1ms, [held, &ran] { ran = true; });
  callback_handle ready = r.loop().call_soon([held, &ran] { ran = true; });
  on_another_thread([&] {
    EXPECT_TRUE(timed.cancel());
    EXPECT_TRUE(ready.cancel());
  });
  EXPECT_EQ(held.use_count(), 1);
  r.run(sleep_for(1h));
  EXPECT_FALSE(ran);
}

// R50
TEST(callback_handle, a_closed_loop_refuses) {
  virtual_clock time;
  runner r(on(time));
  event_loop& loop = r.loop();
  r.close();
  EXPECT_THROW(loop.call_soon([] {}), loop_closed);
  EXPECT_THROW(loop.call_later(1s, [] {}), loop_closed);
  EXPECT_THROW(loop.call_at(time_point(), [] {}), loop_closed);
}

// R82: the timers of a loop that another thread runs are not touched, whatever the mode.
TEST(call_later, on_another_thread_than_the_running_loop_is_refused) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    event_loop& loop = this_loop();
    on_another_thread([&] { EXPECT_THROW(loop.call_later(1s, [] {}), wrong_thread); });
    co_return;
  };
  r.run(main());
}

}  // namespace
}  // namespace harrier::test
