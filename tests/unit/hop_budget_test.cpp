// SPDX-License-Identifier: Apache-2.0
// Stacks stay flat: every transfer has a hop budget, so neither ten million ready awaits nor a
// million nested ones grow the stack, whatever the compiler and its -O. Each test runs on a thread
// with a small stack, so that growth is a crash here and not only on somebody's smaller machine.
#include "support.hpp"

#include <pthread.h>

#include <optional>

namespace harrier::test {
namespace {

constexpr std::size_t stack_bytes = scaled<std::size_t>(256 * 1024, 512 * 1024);
constexpr int ready_awaits = scaled(10'000'000, 1'000'000);
constexpr int depth = 1'000'000;

// Runs `f` on a thread with a stack of stack_bytes.
void on_a_small_stack(std::function<void()> f) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
  pthread_t thread{};
  auto entry = [](void* call) -> void* {
    (*static_cast<std::function<void()>*>(call))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, entry, &f), 0);
  pthread_attr_destroy(&attributes);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
}

task<int> one() { co_return 1; }

task<long> await_ready_children(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) {
    auto child = one();
    sum += co_await child;
  }
  co_return sum;
}

task<long> nest(int levels) {
  if (levels == 0) co_return 0;
  auto child = nest(levels - 1);
  const long below = co_await child;
  co_return below + 1;
}

task<long> nest_and_sleep(int levels) {
  if (levels == 0) {
    co_await sleep_for(1h);
    co_return 0;
  }
  auto child = nest_and_sleep(levels - 1);
  const long below = co_await child;
  co_return below + 1;
}

task<long> nest_and_throw(int levels) {
  if (levels == 0) throw boom("from the bottom");
  auto child = nest_and_throw(levels - 1);
  const long below = co_await child;
  co_return below + 1;
}

TEST(hop_budget, ten_million_ready_awaits_keep_the_stack_flat) {
  on_a_small_stack([] { EXPECT_EQ(run(await_ready_children(ready_awaits)), ready_awaits); });
}

TEST(hop_budget, a_million_nested_awaits_keep_the_stack_flat) {
  on_a_small_stack([] { EXPECT_EQ(run(nest(depth)), depth); });
}

TEST(hop_budget, a_million_nested_awaits_around_a_real_suspension) {
  on_a_small_stack([] {
    virtual_clock time;
    runner r(on(time));
    EXPECT_EQ(r.run(nest_and_sleep(depth)), depth);
    EXPECT_EQ(time.now(), time_point{} + 1h);
  });
}

TEST(hop_budget, an_exception_passes_a_million_levels) {
  on_a_small_stack([] { EXPECT_THROW(run(nest_and_throw(depth)), boom); });
}

// reliability.md 2.7: cancel at depth 1 M.
TEST(hop_budget, a_cancel_unwinds_a_million_levels) {
  on_a_small_stack([] {
    virtual_clock time;
    runner r(on(time));
    auto main = []() -> task<> {
      auto handle = spawn(nest_and_sleep(depth));
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
    EXPECT_EQ(time.now(), time_point{});
  });
}

TEST(hop_budget, close_cancels_a_chain_of_a_million_levels) {
  on_a_small_stack([] {
    virtual_clock time;
    runner r(on(time));
    auto main = []() -> task<> {
      spawn(nest_and_sleep(depth)).detach();
      co_await yield();
    };
    r.run(main());
    EXPECT_GE(live_frames(), static_cast<std::size_t>(depth));
    r.close();
    EXPECT_EQ(live_frames(), 0u);
  });
}

// A bounce at the end of the budget is not a suspension: nothing else runs, no cancel is delivered.
TEST(hop_budget, a_bounce_is_not_a_turn_of_the_loop) {
  virtual_clock time;
  runner r(on(time));
  bool other_ran = false;
  auto main = [&]() -> task<> {
    this_loop().call_soon([&] { other_ran = true; });
    auto child = await_ready_children(10'000);
    co_await child;
    EXPECT_FALSE(other_ran);
    co_await yield();
    EXPECT_TRUE(other_ran);
  };
  r.run(main());
}

TEST(hop_budget, a_bounce_delivers_no_cancel) {
  virtual_clock time;
  runner r(on(time));
  std::optional<join_handle<long>> self;
  long seen = 0;
  auto body = [&]() -> task<long> {
    self->cancel();
    auto child = await_ready_children(10'000);
    seen = co_await child;
    co_return seen;
  };
  self = r.loop().spawn(body());
  r.run(sleep_for(1ms));
  EXPECT_TRUE(self->done());
  // Nothing was thrown while the children ran; the request that found no suspension turns the
  // result into cancelled (T4).
  EXPECT_EQ(seen, 10'000);
  EXPECT_THROW(r.run(std::move(*self)), run_cancelled);
}

TEST(hop_budget, callbacks_that_resume_coroutines_keep_the_stack_flat) {
  on_a_small_stack([] {
    runner r;
    constexpr int rounds = scaled(200'000, 50'000);
    auto main = []() -> task<int> {
      int n = 0;
      for (int i = 0; i < rounds; ++i) {
        gate g;
        this_loop().call_soon([&] { g.open(); });
        co_await g.wait();
        co_await give(1);
        ++n;
      }
      co_return n;
    };
    EXPECT_EQ(r.run(main()), rounds);
  });
}

TEST(hop_budget, frames_of_a_deep_chain_are_counted) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    const std::size_t before = live_frames();
    {
      auto handle = spawn(nest_and_sleep(999));
      co_await yield();
      EXPECT_EQ(live_frames(), before + 1000);
      co_await handle;
      EXPECT_LE(live_frames(), before + 1) << "the handle keeps the result, which sits in a frame";
    }
    EXPECT_EQ(live_frames(), before);
  };
  r.run(main());
}

}  // namespace
}  // namespace harrier::test
