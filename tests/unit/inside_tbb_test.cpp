// SPDX-License-Identifier: Apache-2.0
// The runtime called from inside tasks of oneTBB: however many of its threads wait for coroutines,
// the coroutines run.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <latch>

namespace harrier::test {
namespace {

/// Runs `body(i)` for each i below `count` as tasks of oneTBB. ThreadSanitizer cannot see what
/// orders oneTBB's threads: there one thread runs them all.
template <class Body>
void in_tbb_tasks(int count, Body body) {
#if defined(HARRIER_THREAD_SANITIZED)
  tbb::task_arena arena(1, 1);
#else
  tbb::task_arena arena(4, 1);
#endif
  arena.execute([&] { tbb::parallel_for(0, count, body, tbb::simple_partitioner()); });
}

task<int> yields_then(int value) {
  for (int k = 0; k < 3; ++k) co_await yield();
  co_return value;
}

TEST(inside_tbb, run_gives_each_task_its_result) {
  runtime rt(std::size_t{2});
  std::atomic<long> sum{0};
  in_tbb_tasks(100, [&](int i) { sum += rt.run(yields_then(i)); });
  EXPECT_EQ(sum.load(), 4950);
}

TEST(inside_tbb, spawn_and_get) {
  runtime rt(std::size_t{2});
  std::atomic<long> sum{0};
  in_tbb_tasks(100, [&](int i) {
    auto handle = rt.spawn(yields_then(i));
    sum += handle.get();
  });
  EXPECT_EQ(sum.load(), 4950);
}

TEST(inside_tbb, a_batch_in_each_task) {
  runtime rt(std::size_t{2});
  std::atomic<long> sum{0};
  in_tbb_tasks(20, [&](int) {
    auto b = rt.dispatch(100, [](std::uint64_t i) { return yields_then(static_cast<int>(i)); });
    for (const int value : b.get()) sum += value;
  });
  EXPECT_EQ(sum.load(), 20 * 4950);
}

TEST(inside_tbb, an_error_reaches_the_one_who_waits) {
  runtime rt(std::size_t{2});
  std::atomic<int> caught{0};
  in_tbb_tasks(10, [&](int) {
    try {
      rt.run(throw_boom());
    } catch (const boom&) {
      ++caught;
    }
  });
  EXPECT_EQ(caught.load(), 10);
}

// The coroutine itself needs a thread of oneTBB, and all of them may be waiting for coroutines: the
// calling thread, which waits in the parallel_for, is one of them.
TEST(inside_tbb, coroutines_that_offload_back_into_it) {
  runtime rt(std::size_t{2});
  std::atomic<long> sum{0};
  auto offloads = [](int i) -> task<int> {
    auto op = offload_blocking([i] { return i; });
    const int value = co_await op;
    co_return value;
  };
  in_tbb_tasks(50, [&](int i) { sum += rt.run(offloads(i)); });
  EXPECT_EQ(sum.load(), 1225);
}

TEST(inside_tbb, a_runtime_that_lives_inside_one_task) {
  std::atomic<long> sum{0};
  in_tbb_tasks(8, [&](int i) {
    runtime rt(std::size_t{2});
    sum += rt.run(yields_then(i));
  });
  EXPECT_EQ(sum.load(), 28);
}

TEST(inside_tbb, tasks_of_tbb_called_by_a_coroutine_may_spawn) {
  runtime rt(std::size_t{2});
  std::atomic<long> sum{0};
  auto add = [&](int i) -> task<> {
    sum += i;
    co_return;
  };
  auto main = [&]() -> task<> {
    // On the worker's own thread a blocking call would be refused: a spawn is not one.
    in_tbb_tasks(100, [&](int i) { rt.spawn(add(i)).detach(); });
    co_return;
  };
  rt.run(main());
  EXPECT_TRUE(rt.drain(30s));
  EXPECT_EQ(sum.load(), 4950);
}

}  // namespace
}  // namespace harrier::test
