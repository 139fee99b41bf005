// SPDX-License-Identifier: Apache-2.0
// Threads of ordinary code hand in work while the runtime stops: what is taken ends, what is refused has
// not started, and the numbers say so. The longer form with all kinds of work is tests/soak.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

namespace harrier::test {
namespace {

class stop_race : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(queue_limit, stop_race, testing::Values(0, 1));

TEST_P(stop_race, of_foreign_threads_loses_no_task) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<long> started{0};
    std::atomic<long> ended{0};  // with a value, an error or a cancel
    std::atomic<long> taken{0};
    std::atomic<long> refused{0};
    tally handed_in;
    {
      runtime_options options;
      options.workers = 2;
      options.queue_limit = GetParam();
      runtime rt(options);
      auto body = [&]() -> task<> {
        started.fetch_add(1);
        co_await yield();
      };
      auto submit = [&] {
        try {
          for (;;) {
            auto handle = rt.spawn(body());
            taken.fetch_add(1);
            handed_in.add();
            handle.wait();
            ended.fetch_add(handle.done() ? 1 : 0);
          }
        } catch (const runtime_stopped&) {
          refused.fetch_add(1);
        }
      };
      std::vector<std::thread> submitters;
      for (int i = 0; i < 8; ++i) submitters.emplace_back(submit);
      handed_in.wait_for(20);
      std::thread other([&] { rt.stop(); });
      rt.stop();
      other.join();
      for (std::thread& each : submitters) each.join();
      const runtime_metrics figures = rt.metrics();
      EXPECT_EQ(figures.tasks_spawned, figures.tasks_finished);
      EXPECT_EQ(figures.tasks_spawned, static_cast<std::uint64_t>(taken.load()));
    }
    EXPECT_EQ(ended.load(), taken.load());
    EXPECT_LE(started.load(), taken.load());  // a task may be cancelled before its first step
    EXPECT_EQ(refused.load(), 8);
  }
}

}  // namespace
}  // namespace harrier::test
