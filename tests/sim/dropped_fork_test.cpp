// SPDX-License-Identifier: Apache-2.0
// Forks that are dropped while thieves have them, one inside the other, under many seeds: whoever waits for
// whom, all go on.
#include <harrier/runtime.hpp>

#include "sim/seeds.hpp"
#include "unit/support.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace harrier;
using namespace harrier::test;

namespace {

constexpr int quick = 100;

/// Ends some turns after its cancel.
task<> ends_late(int turns) {
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
  }
  for (; turns != 0; --turns) co_await yield();
}

/// Forks a child like itself, takes some turns and fails.
task<> fails_above(int levels, int turns) {
  auto child = levels == 0 ? ends_late(turns) : fails_above(levels - 1, (turns + 2) % 5);
  auto dropped = co_await fork(std::move(child));
  for (int turn = 0; turn != turns; ++turn) co_await yield();
  throw boom();
}

runtime_options with(std::size_t workers, thread_provider provider) {
  runtime_options options;
  options.workers = workers;
  options.provider = provider;
  return options;
}

}  // namespace

TEST(sim_dropped_fork, parents_that_wait_for_each_other_all_go_on) {
  for (const thread_provider provider :
       {thread_provider::own_threads, thread_provider::task_arena}) {
    for (const std::size_t workers : {1u, 3u}) {
      for_each_seed(quick, std::to_string(workers) + " workers", [&] {
        runtime rt(with(workers, provider));
        std::vector<join_handle<void>> all;
        for (int each = 0; each < 4; ++each) all.push_back(rt.spawn(fails_above(each, 4 - each)));
        for (join_handle<void>& each : all) EXPECT_THROW(each.get(), boom);
        EXPECT_TRUE(rt.drain(1h));
      });
    }
  }
}

TEST(sim_dropped_fork, items_of_a_batch_that_wait_lose_no_others) {
  for (const std::size_t workers : {1u, 2u}) {
    for_each_seed(quick, std::to_string(workers) + " workers", [&] {
      runtime rt(workers);
      std::vector<int> runs(60);
      auto all = rt.for_each(
          runs.size(),
          [&](std::uint64_t index) -> task<> {
            ++runs[index];
            if (index % 3 == 0) co_await yield();
            if (index % 10 == 4) {
              auto failing = fails_above(1, static_cast<int>(index % 4));
              co_await failing;
            }
          },
          dispatch_options().on_error(collect_all));
      all.wait();
      EXPECT_EQ(all.errors().size(), 6u);
      for (const int each : runs) EXPECT_EQ(each, 1);
    });
  }
}
