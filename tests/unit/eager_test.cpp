// SPDX-License-Identifier: Apache-2.0
// spawn(eager, ...): the first step runs inside the call.
#include "support.hpp"

#include <algorithm>

namespace harrier::test {
namespace {

TEST(eager, on_a_loop_that_does_not_run_is_queued) {
  virtual_clock time;
  runner r(on(time));
  auto handle = r.loop().spawn(eager, give(1));
  EXPECT_FALSE(handle.done());
  r.run(yield());
  EXPECT_EQ(handle.get(), 1);
}

TEST(eager, the_first_step_comes_before_what_follows_the_spawn) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto child = [&]() -> task<> {
    order += 'a';
    co_await yield();
    order += 'c';
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(eager, child());
    order += 'b';
    co_await handle;
    order += 'd';
  };
  r.run(main());
  EXPECT_EQ(order, "abcd");
}

TEST(eager, an_error_is_the_tasks_own) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto handle = spawn(eager, throw_boom());
    EXPECT_TRUE(handle.done());
    EXPECT_THROW(co_await handle, boom);
  };
  r.run(main());
}

TEST(eager, works_in_a_callback) {
  virtual_clock time;
  runner r(on(time));
  bool done = false;
  r.loop().call_soon([&] { done = spawn(eager, give(1)).done(); });
  r.run(yield());
  EXPECT_TRUE(done);
}

// Each first step spawns the next: beyond the limit they are queued, so that the stack ends somewhere.
TEST(eager, nests_to_a_limit) {
  virtual_clock time;
  runner r(on(time));
  int deepest = 0;
  int depth = 0;
  std::function<task<>(int)> chain = [&](int left) -> task<> {
    deepest = std::max(deepest, ++depth);
    if (left != 0) spawn(eager, chain(left - 1)).detach();
    --depth;
    co_return;
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(eager, chain(10'000));
    EXPECT_TRUE(handle.done());
    co_await handle;
    while (this_loop().live_tasks() != 1) co_await yield();
  };
  r.run(main());
  EXPECT_EQ(deepest, 17) << "a step of the loop, and 16 inside it";
}

TEST(eager, awaits_deeply_inside_the_first_step) {
  virtual_clock time;
  runner r(on(time));
  std::function<task<int>(int)> down = [&](int left) -> task<int> {
    if (left == 0) co_return 0;
    auto child = down(left - 1);
    const int below = co_await child;
    co_return below + 1;
  };
  auto main = [&]() -> task<int> {
    auto handle = spawn(eager, down(10'000));
    EXPECT_TRUE(handle.done());
    const int depth = co_await handle;
    co_return depth;
  };
  EXPECT_EQ(r.run(main()), 10'000);
}

TEST(eager, of_an_empty_task_is_refused) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    auto t = give(1);
    auto other = std::move(t);
    EXPECT_THROW((void)spawn(eager, std::move(t)),
                 invalid_task);  // NOLINT(bugprone-use-after-move)
    co_await other;
  };
  r.run(main());
}

}  // namespace
}  // namespace harrier::test
