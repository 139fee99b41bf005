// SPDX-License-Identifier: Apache-2.0
// Diagnoses of a runtime at work, under many seeds: no circle is told that was not there at one moment,
// one that is there is told, and what was looked at ends as it would have.
#include <harrier/runtime.hpp>

#include "sim/seeds.hpp"
#include "unit/support.hpp"

#include <array>

namespace harrier::test {
namespace {

constexpr int quick = scaled(1000, 100);

// The lists are locked for a good part of each look: whoever does nothing but look keeps the workers out.
void pause() { std::this_thread::sleep_for(20us); }

task<> lock_singly(std::array<mutex, 2>& locks, std::size_t first) {
  for (std::size_t i = 0; i < 4; ++i) {
    auto guard = co_await locks[(first + i) % locks.size()].lock();
    co_await yield();
  }
}

TEST(sim_doctor, sees_no_circle_that_never_was) {
  for_each_seed(quick, "2 workers", [] {
    std::array<mutex, 2> locks;
    runtime rt(std::size_t{2});
    std::array<join_handle<void>, 4> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = rt.spawn(lock_singly(locks, i));
    std::thread canceller([&] { all[3].cancel(); });
    while (!rt.diagnose().tasks.empty()) {
      EXPECT_TRUE(rt.diagnose().cycles.empty());
      pause();
    }
    canceller.join();
    for (std::size_t i = 0; i < 3; ++i) all[i].get();
    EXPECT_TRUE(rt.drain(10s));
  });
}

TEST(sim_doctor, two_who_look_at_once_see_the_circle_both) {
  for_each_seed(quick, "2 workers", [] {
    mutex a;
    mutex b;
    latch both(2);
    auto lock_two = [&](mutex& first, mutex& second) -> task<> {
      auto one = co_await first.lock();
      both.count_down();
      co_await both.wait();
      auto two = co_await second.lock();
    };
    runtime rt(std::size_t{2});
    auto there = rt.spawn(lock_two(a, b));
    auto back = rt.spawn(lock_two(b, a));
    while (rt.diagnose().cycles.empty()) pause();
    auto look = [&] { EXPECT_EQ(rt.diagnose().cycles.size(), 1u); };
    std::thread other(look);
    look();
    other.join();
    there.cancel();
    EXPECT_THROW(there.get(), run_cancelled);
    back.get();
  });
}

}  // namespace
}  // namespace harrier::test
