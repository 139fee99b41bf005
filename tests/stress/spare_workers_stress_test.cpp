// SPDX-License-Identifier: Apache-2.0
// Workers that block at random for what other work of the same runtime ends, with as many spare ones as
// that takes: all ends, each thing once, and no thread too many is started.
#include <harrier/runtime.hpp>
#include <harrier/sync/semaphore.hpp>

#include "stress/support.hpp"

#include <future>
#include <memory>
#include <vector>

namespace harrier::test {
namespace {

constexpr std::size_t workers = 2;
constexpr std::size_t spares = 2;
constexpr std::uint64_t tasks = scaled<std::uint64_t>(300, 60);

/// One thing to block for.
struct door {
  std::promise<void> opens;
  std::shared_future<void> is_open = opens.get_future().share();
};

task<> open(std::shared_ptr<door> at) {
  at->opens.set_value();
  co_return;
}

task<std::uint64_t> leaf(std::uint64_t value) {
  if (value % 2 == 0) co_await yield();
  co_return value;
}

/// Leaves work in the worker's own queue and deque, and blocks until a task from there has run. One
/// thread for each that does so at once, and one more for what they wait for.
task<std::uint64_t> block(runtime& rt, std::uint64_t value) {
  const auto shut = std::make_shared<door>();
  auto child = co_await fork(leaf(value));
  auto opener = rt.spawn(open(shut));
  if (shut->is_open.wait_for(1min) != std::future_status::ready) ADD_FAILURE() << "still shut";
  co_await opener;
  co_return co_await child;
}

task<std::uint64_t> nap(std::uint64_t value) {
  co_await sleep_for(std::chrono::microseconds(value % 500));
  co_return value;
}

task<std::uint64_t> one_of(runtime& rt, semaphore& may_block, std::uint64_t value) {
  switch (value % 8) {
    case 0: {
      auto permit = may_block.acquire();
      co_await permit;
      auto op = block(rt, value);
      const std::uint64_t given = co_await op;
      may_block.release();
      co_return given;
    }
    case 1:
    case 2: {
      auto op = nap(value);
      co_return co_await op;
    }
    default: {
      auto child = co_await fork(leaf(value));
      if (value % 3 == 0) co_await yield();
      co_return co_await child;
    }
  }
}

TEST(spare_workers_stress, everything_ends_that_blocked_workers_wait_for) {
  std::uint64_t started = 0;
  stress([&](std::uint64_t seed) {
    error_log log;
    runtime_options options;
    options.workers = workers;
    options.provider = thread_provider::own_threads;
    options.stalled_after = 2ms;
    options.spare_workers = spares;
    options.exception_handler = std::ref(log);
    runtime rt(options);
    semaphore may_block(workers + spares - 1);  // one thread at the least goes on
    std::vector<join_handle<std::uint64_t>> handles;
    for (std::uint64_t i = 0; i < tasks; ++i) {
      handles.push_back(rt.spawn(one_of(rt, may_block, mix(seed, i))));
    }
    auto item = [&](std::uint64_t i) { return one_of(rt, may_block, mix(~seed, i)); };
    auto op = rt.dispatch(tasks, item);
    for (std::uint64_t i = 0; i < tasks; ++i) {
      ASSERT_TRUE(handles[i].wait_for(1min)) << i;
      ASSERT_EQ(handles[i].get(), mix(seed, i));
    }
    ASSERT_TRUE(op.wait_for(1min));
    const auto results = op.get();
    for (std::uint64_t i = 0; i < tasks; ++i) ASSERT_EQ(results[i], mix(~seed, i));
    ASSERT_TRUE(rt.drain(1min));
    const runtime_metrics m = rt.metrics();
    EXPECT_LE(m.spare_workers_started, spares);
    started += m.spare_workers_started;
    EXPECT_EQ(m.tasks_finished, m.tasks_spawned);
    EXPECT_EQ(m.frames_live, 0);
  });
  EXPECT_GT(started, 0u) << "nobody blocked for long";
}

}  // namespace
}  // namespace harrier::test
