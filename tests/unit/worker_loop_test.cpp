// SPDX-License-Identifier: Apache-2.0
// The services of a loop on the workers of a runtime: timers, handles, submit, eager start.
#include <harrier/runtime.hpp>

#include "unit/held_worker.hpp"

namespace harrier::test {
namespace {

TEST(worker_loop, calls_back_on_time) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  std::atomic<int> calls{0};
  auto main = [&]() -> task<> {
    this_loop().call_later(1h, [&] { ++calls; });
    this_loop().call_soon([&] { ++calls; });
    co_await sleep_for(2h);
  };
  rt.run(main());
  EXPECT_EQ(calls.load(), 2);
}

TEST(worker_loop, a_handle_is_cancelled_from_another_worker) {
  runtime rt(std::size_t{2});
  auto held = std::make_shared<int>(1);
  callback_handle handle;
  auto set = [&]() -> task<> {
    handle = this_loop().call_later(24h, [held] {});
    co_return;
  };
  auto call_off = [&]() -> task<> {
    EXPECT_TRUE(handle.cancel());
    EXPECT_FALSE(handle.cancel());
    co_return;
  };
  rt.spawn_on(0, set()).get();
  EXPECT_EQ(held.use_count(), 2);
  rt.spawn_on(1, call_off()).get();
  EXPECT_EQ(held.use_count(), 1);
}

// The word of it may be on its way to the worker, or be there, when that ends. AddressSanitizer sees more.
TEST(worker_loop, a_handle_is_cancelled_just_before_the_runtime_ends) {
  auto held = std::make_shared<int>(1);
  for (int round = 0; round < 500; ++round) {
    callback_handle handle;
    runtime rt(std::size_t{1});
    auto set = [&]() -> task<> {
      handle = this_loop().call_later(24h, [held] {});
      co_return;
    };
    rt.spawn_on(0, set()).get();
    EXPECT_TRUE(handle.cancel());
    handle = callback_handle();
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(worker_loop, takes_what_is_submitted_to_it) {
  runtime rt(std::size_t{2});
  event_loop* loop = nullptr;
  auto find = [&]() -> task<> {
    loop = &this_loop();
    co_return;
  };
  rt.spawn_on(1, find()).get();
  auto where = []() -> task<std::size_t> { co_return this_worker::id().value(); };
  EXPECT_EQ(loop->submit(where()).get(), 1u);
  auto failing = loop->submit(throw_boom());
  EXPECT_THROW(failing.get(), boom);
}

// A first step that forks and then waits leaves its child in the queue of the one it runs below.
TEST(worker_loop, an_eager_step_forks) {
  runtime rt(std::size_t{2});
  auto leaf = [](int value) -> task<int> {
    co_await yield();
    co_return value;
  };
  auto child = [&]() -> task<int> {
    auto first = co_await fork(leaf(1));
    auto second = leaf(2);
    const int b = co_await second;
    const int a = co_await first;
    co_return a + b;
  };
  auto main = [&]() -> task<int> {
    auto mine = co_await fork(leaf(10));
    auto handle = spawn(eager, child());
    auto other = leaf(20);
    const int b = co_await other;
    const int a = co_await mine;
    const int c = co_await handle;
    co_return a + b + c;
  };
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rt.run(main()), 33);
}

}  // namespace
}  // namespace harrier::test
