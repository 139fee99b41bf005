// SPDX-License-Identifier: Apache-2.0
// Diagnoses of a runtime that is at work: nothing is lost by them, and no circle is seen where there was
// none at any moment.
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <array>
#include <vector>

namespace harrier::test {
namespace {

/// Takes one lock after the other, never two: looks at different moments see every circle there could be.
task<> lock_singly(std::array<mutex, 3>& locks, std::uint64_t seed, const event& over) {
  for (std::uint64_t i = 0; !over.is_set(); ++i) {
    auto guard = co_await locks[mix(seed, i) % locks.size()].lock();
    co_await yield();
  }
}

/// Takes two in one order: waits in a row, but in no circle.
task<> lock_in_order(std::array<mutex, 3>& locks, std::uint64_t seed, const event& over) {
  for (std::uint64_t i = 0; !over.is_set(); ++i) {
    const std::size_t lower = mix(seed, i) % (locks.size() - 1);
    auto one = co_await locks[lower].lock();
    co_await yield();
    auto two = co_await locks[lower + 1].lock();
  }
}

// Between the looks at two of the tasks there are those at others: time to go on and to meet again.
TEST(doctor, sees_no_circle_that_never_was) {
  stress([&](std::uint64_t seed) {
    std::array<mutex, 3> locks;
    event over;
    std::size_t waits_on_others = 0;
    runtime rt(std::size_t{2});
    auto wait = [&]() -> task<> { co_await over.wait(); };
    std::vector<join_handle<void>> handles;
    for (std::uint64_t i = 0; i < 4; ++i) {
      handles.push_back(rt.spawn(lock_singly(locks, mix(seed, i), over)));
      handles.push_back(rt.spawn(lock_in_order(locks, mix(seed, 10 + i), over)));
      for (int filler = 0; filler < 20; ++filler) handles.push_back(rt.spawn(wait()));
    }
    while (waits_on_others < 200) {
      const diagnosis found = rt.diagnose();
      EXPECT_TRUE(found.cycles.empty());
      for (const task_diagnosis& each : found.tasks) waits_on_others += each.waits_on.size();
    }
    over.set();
    for (join_handle<void>& each : handles) each.get();
  });
}

TEST(doctor, looks_at_tasks_that_are_cancelled_and_end) {
  stress([&](std::uint64_t seed) {
    std::atomic<bool> over{false};
    mutex m;
    channel<int> numbers(1);
    auto nap = [](std::uint64_t value) -> task<> {
      co_await sleep_for(std::chrono::microseconds(value % 30));
    };
    auto item = [&](std::uint64_t index) -> task<> {
      switch (mix(seed, index) % 4) {
        case 0: {
          auto guard = co_await m.lock();
          co_await yield();
          break;
        }
        case 1: {
          auto both = when_all(nap(mix(seed, index)), nap(index));
          co_await both;
          break;
        }
        case 2: {
          auto either = when_any(nap(mix(seed, index)), nap(index));
          co_await either;
          break;
        }
        default:
          co_await numbers.send(static_cast<int>(index));
          co_await numbers.receive();
      }
    };
    runtime rt(std::size_t{2});
    auto look = [&] {
      while (!over) EXPECT_TRUE(rt.diagnose().cycles.empty());
    };
    std::thread one(look);
    std::thread other(look);
    auto items = rt.for_each(300, item, dispatch_options().on_error(collect_all));
    if (mix(seed, 1) % 2 == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(mix(seed, 2) % 500));
      items.cancel();
    }
    items.wait();
    over = true;
    one.join();
    other.join();
    rt.stop();
    EXPECT_TRUE(rt.diagnose().tasks.empty());
  });
}

}  // namespace
}  // namespace harrier::test
