// SPDX-License-Identifier: Apache-2.0
// Every primitive on four workers, with cancels at any moment: the counts add up, nobody hangs.
#include <harrier/runtime.hpp>
#include <harrier/sync/barrier.hpp>
#include <harrier/sync/channel.hpp>
#include <harrier/sync/condition.hpp>
#include <harrier/sync/event.hpp>
#include <harrier/sync/latch.hpp>
#include <harrier/sync/mutex.hpp>
#include <harrier/sync/semaphore.hpp>
#include <harrier/sync/shared_mutex.hpp>
#include <harrier/sync/wait_group.hpp>

#include "stress/support.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

namespace harrier::test {
namespace {

constexpr std::uint64_t tasks = scaled<std::uint64_t>(200, 60);
constexpr std::uint64_t steps = 20;

/// Spawns `body(i)` for each task, cancels some of them at any moment, and waits for all.
template <class Body>
task<std::uint64_t> run_and_cancel(std::uint64_t seed, Body& body) {
  std::vector<join_handle<void>> handles;
  handles.reserve(tasks);
  for (std::uint64_t i = 0; i < tasks; ++i) handles.push_back(spawn(body(i)));
  for (std::uint64_t i = 0; i < tasks; ++i) {
    if (mix(seed, i) % 4 == 0) {
      handles[mix(seed, i + tasks) % tasks].cancel();
      if (mix(seed, i) % 8 == 0) co_await yield();
    }
  }
  std::uint64_t cancels = 0;
  for (auto& each : handles) {
    try {
      co_await each;
    } catch (const cancelled&) {
      ++cancels;
    }
  }
  co_return cancels;
}

TEST(sync_stress, locks_exclude_and_units_add_up) {
  stress([](std::uint64_t seed) {
    runtime rt(4);
    mutex m;
    condition c(m);
    shared_mutex s;
    semaphore units(3);
    std::uint64_t protected_by_m = 0;
    std::uint64_t protected_by_s = 0;
    std::atomic<std::uint64_t> by_m{0};
    std::atomic<std::uint64_t> by_s{0};
    std::atomic<int> holders{0};
    std::atomic<bool> too_many{false};
    auto notify = [&]() -> task<> {
      auto guard = co_await m.lock();
      c.notify_all();
    };
    auto body = [&](std::uint64_t i) -> task<> {
      for (std::uint64_t n = 0; n < steps; ++n) {
        switch (mix(seed + i, n) % 6) {
          case 0: {
            auto guard = co_await m.lock();
            ++protected_by_m;
            ++by_m;
            c.notify();
            break;
          }
          case 1: {
            auto guard = co_await s.lock();
            ++protected_by_s;
            ++by_s;
            break;
          }
          case 2: {
            auto guard = co_await s.lock_shared();
            if (protected_by_s > tasks * steps) too_many = true;  // a race, if a writer is in
            co_await yield();
            break;
          }
          case 3: {
            auto permit = co_await units.acquire_permit();
            if (++holders > 3) too_many = true;
            const bool yields = mix(seed, n) % 2 == 0;
            // A cancel must not leave the count behind.
            try {
              if (yields) co_await yield();
            } catch (...) {  // passed on
              --holders;
              throw;
            }
            --holders;
            break;
          }
          case 4: {
            auto guard = m.try_lock();
            if (guard) {
              ++protected_by_m;
              ++by_m;
              c.notify_all();
            }
            break;
          }
          default: {
            // Waits only where a notify is bound to come: from a task of its own.
            auto guard = co_await m.lock();
            auto notifier = spawn(notify());
            co_await c.wait();
            ++protected_by_m;
            ++by_m;
            guard.unlock();
            co_await notifier;
          }
        }
      }
    };
    rt.run(run_and_cancel(seed, body));
    ASSERT_FALSE(too_many);
    ASSERT_EQ(protected_by_m, by_m.load());
    ASSERT_EQ(protected_by_s, by_s.load());
    ASSERT_TRUE(rt.drain(std::chrono::minutes(1)));
    ASSERT_FALSE(m.is_locked());
    ASSERT_FALSE(s.is_locked());
    ASSERT_EQ(s.readers(), 0u);
    ASSERT_EQ(units.available(), 3);
  });
}

TEST(sync_stress, channels_lose_and_double_nothing) {
  stress([](std::uint64_t seed) {
    constexpr std::ptrdiff_t capacities[] = {0, 1, 5, unbounded};
    runtime rt(4);
    channel<std::uint64_t> c(capacities[seed % 4]);
    priority_channel<std::uint64_t> p(capacities[(seed + 1) % 4]);
    auto_reset_event bell;
    barrier meeting(2);
    wait_group consumers(2);
    std::vector<std::atomic<int>> seen(tasks * steps);
    std::vector<std::atomic<int>> sent(tasks * steps);
    // Consumers that are cancelled begin anew, so that the channels are drained.
    auto consume = [&](auto& from) -> task<> {
      while (auto item = co_await from.receive()) {
        ++seen[*item];
        bell.set();
      }
    };
    auto keep_consuming = [&](auto& from) -> task<> {
      for (std::uint64_t n = 0;; ++n) {
        auto one = spawn(consume(from));
        auto two = spawn(consume(from));
        co_await yield();
        if (mix(seed, n) % 3 != 0) one.cancel();
        bool ended = false;
        try {
          co_await one;
          ended = true;
        } catch (const cancelled&) {
        }
        if (!ended && mix(seed, n) % 5 == 0) two.cancel();
        try {
          co_await two;
          ended = true;
        } catch (const cancelled&) {
        }
        if (ended) break;
      }
      consumers.done();
    };
    auto produce = [&](std::uint64_t i) -> task<> {
      for (std::uint64_t n = 0; n < steps; ++n) {
        const std::uint64_t item = i * steps + n;
        try {
          if (mix(seed + i, n) % 2 == 0) {
            co_await c.send(item);
          } else {
            co_await p.send(item);
          }
          sent[item] = 1;
        } catch (const cancelled&) {  // not sent
          throw;
        }
      }
    };
    auto meet = [&]() -> task<> {
      co_await bell.wait();
      co_await meeting.wait();
    };
    auto main = [&]() -> task<> {
      auto first = spawn(keep_consuming(c));
      auto second = spawn(keep_consuming(p));
      auto third = spawn(meet());
      auto work = run_and_cancel(seed, produce);
      co_await work;
      bell.set();
      c.close();
      p.close();
      co_await consumers.wait();
      co_await meeting.wait();
      co_await first;
      co_await second;
      co_await third;
    };
    rt.run(main());
    while (auto left = c.try_receive()) ++seen[*left];  // handed back after the close
    while (auto left = p.try_receive()) ++seen[*left];
    for (std::uint64_t i = 0; i < tasks * steps; ++i) {
      ASSERT_EQ(seen[i].load(), sent[i].load()) << "item " << i;
    }
  });
}

}  // namespace
}  // namespace harrier::test
