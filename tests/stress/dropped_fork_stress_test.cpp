// SPDX-License-Identifier: Apache-2.0
// Trees of forks whose parents fail at random, so that many wait at once for children that thieves have, and
// for each other: all end, whatever the children do on their way out.
#include <harrier/runtime.hpp>
#include <harrier/sync/mutex.hpp>

#include "stress/support.hpp"

#include <vector>

namespace harrier::test {
namespace {

constexpr std::uint64_t roots = scaled<std::uint64_t>(200, 40);
constexpr int levels = 4;

struct world {
  runtime& rt;
  std::uint64_t seed;
  mutex lock;
  std::atomic<std::uint64_t> items{0};
};

task<> some_turns(std::uint64_t value) {
  if (value % 4 == 3) co_await sleep_for(std::chrono::microseconds(value % 300));
  for (std::uint64_t left = value % 4; left != 0; --left) co_await yield();
}

/// What a child may still need of its worker when it has been cancelled.
task<> clean_up(world& in, std::uint64_t value) {
  switch (value % 4) {
    case 0: {
      auto guard = co_await in.lock.lock();
      auto inside = some_turns(value / 4);
      co_await inside;
      break;
    }
    case 1: {
      auto all = in.rt.for_each(value / 4 % 20, [&in](std::uint64_t index) -> task<> {
        in.items.fetch_add(1);
        if (index % 2 == 0) co_await yield();
      });
      co_await all;
      break;
    }
    case 2: {
      auto other = in.rt.spawn(some_turns(value / 4));
      co_await other;
      break;
    }
    default:
      co_await sleep_for(std::chrono::microseconds(value / 4 % 200));
  }
}

task<> leaf(world& in, std::uint64_t value) {
  try {
    co_await sleep_for(std::chrono::milliseconds(value % 3));
  } catch (const cancelled&) {
  }
  auto rest = clean_up(in, value / 3);
  co_await rest;
}

task<> tree(world& in, std::uint64_t number, int level) {
  const tracked counted;
  const std::uint64_t value = mix(in.seed, number);
  auto below = [&](std::uint64_t which) {
    return level == 0 ? leaf(in, mix(value, which)) : tree(in, mix(number, which), level - 1);
  };
  auto child = co_await fork(below(0));
  if (value % 2 == 0) {
    auto other = below(1);
    co_await other;
  } else {
    auto turns = some_turns(value / 2);
    co_await turns;
  }
  if (value / 8 % 3 != 0) throw boom();
  co_await child;
}

class dropped_fork_stress : public testing::TestWithParam<std::size_t> {};

TEST_P(dropped_fork_stress, whoever_waits_for_whom_all_end) {
  stress(
      [&](std::uint64_t seed) {
        runtime rt(GetParam());
        world in{rt, seed, {}, {}};
        std::vector<join_handle<void>> all;
        for (std::uint64_t root = 0; root < roots; ++root)
          all.push_back(rt.spawn(tree(in, root, levels)));
        for (std::uint64_t root = 0; root < roots; root += 5) all[root].cancel();
        for (join_handle<void>& each : all) {
          ASSERT_TRUE(each.wait_for(2min)) << "a tree hangs";
          try {
            each.get();
          } catch (const boom&) {
          } catch (const run_cancelled&) {
          }
        }
        EXPECT_TRUE(rt.drain(1min));
        EXPECT_EQ(tracked::alive(), 0);
      },
      0.5);
}

INSTANTIATE_TEST_SUITE_P(workers, dropped_fork_stress, testing::Values(1, 2, 4));

}  // namespace
}  // namespace harrier::test
