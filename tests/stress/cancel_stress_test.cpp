// SPDX-License-Identifier: Apache-2.0
// Scopes that cancel for themselves, and cancels from outside, all at once on 2 to 4 workers: limits
// around groups around when_all and when_any, of children that fail, sleep, yield and are stolen. What
// must hold whatever the interleaving: every child that started has ended before its scope is left, a
// task's count of cancels is that of the cancels from outside, nothing is due that nobody asked for,
// and no frame is left (which unit/support.hpp checks).
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace harrier::test {
namespace {

/// What all coroutines of a round count.
class score {
 public:
  std::atomic<long> started{0};
  std::atomic<long> ended{0};
  std::atomic<long> surprises{0};
};

/// Counts a child from its first step to its end, however that comes.
class presence {
 public:
  explicit presence(score& of) noexcept : of_(of) { of_.started.fetch_add(1); }
  ~presence() { of_.ended.fetch_add(1); }
  presence(const presence&) = delete;
  presence& operator=(const presence&) = delete;

 private:
  score& of_;
};

task<int> child(score& of, std::uint64_t random) {
  const presence here(of);
  for (std::uint64_t turn = 0; turn < random % 5; ++turn) co_await yield();
  if (random / 8 % 2 == 0) co_await sleep_for(std::chrono::microseconds(random / 16 % 200));
  if (random / 4096 % 8 == 0) throw boom();
  co_return 1;
}

task<> several(score& of, std::uint64_t random) {
  std::vector<task<int>> work;
  for (std::uint64_t i = 0; i < 1 + random % 6; ++i) work.push_back(child(of, mix(random, i)));
  switch (random / 8 % 3) {
    case 0: {
      auto op = when_all(std::move(work));
      co_await op;
      break;
    }
    case 1: {
      auto op = when_any(std::move(work));
      co_await op;
      break;
    }
    default: {
      auto op = when_all_settled(std::move(work));
      co_await op;
      break;
    }
  }
}

task<> family_group(score& of, std::uint64_t random) {
  auto body = [&of, random](task_group& group) -> task<> {
    for (std::uint64_t i = 0; i < random % 5; ++i) {
      group.start(several(of, mix(random, 100 + i)));
      if (random / 32 % 2 == 0) co_await yield();
    }
    auto mine = several(of, mix(random, 99));
    co_await mine;
  };
  auto op = with_task_group(body);
  co_await op;
}

/// Runs its scopes, and looks afterwards whether they have left anything behind.
task<> family(score& of, std::uint64_t random, bool may_be_cancelled) {
  try {
    auto op = with_timeout(std::chrono::microseconds(random % 400), family_group(of, random));
    co_await op;
  } catch (const timed_out&) {
  } catch (const exception_group&) {
  } catch (const task_group_misuse&) {
  } catch (const cancelled&) {
    if (!may_be_cancelled) of.surprises.fetch_add(1);
  }
  const task_ref self = co_await current_task();
  if (self.cancelling() > (may_be_cancelled ? 1u : 0u)) of.surprises.fetch_add(1);
  if (!may_be_cancelled) {
    try {
      co_await yield();
      co_await sleep_for(1us);
    } catch (const cancelled&) {
      of.surprises.fetch_add(1);
    }
  }
}

TEST(cancel_stress, scopes_that_cancel_and_cancels_from_outside) {
  stress([&](std::uint64_t seed) {
    runtime rt(2 + seed % 3);
    score counts;
    constexpr std::uint64_t families = scaled<std::uint64_t>(400, 100);
    std::vector<join_handle<void>> handles;
    for (std::uint64_t i = 0; i < families; ++i) {
      const std::uint64_t random = mix(seed, i);
      handles.push_back(rt.spawn(family(counts, random, random / 3 % 2 == 0)));
    }
    for (std::uint64_t i = 0; i < families; ++i) {
      if (mix(seed, i) / 3 % 2 == 0) handles[i].cancel();
    }
    for (join_handle<void>& handle : handles) {
      try {
        handle.get();
      } catch (const run_cancelled&) {  // asked for
      }
    }
    ASSERT_TRUE(rt.drain(60s));
    EXPECT_EQ(counts.started.load(), counts.ended.load());
    EXPECT_EQ(counts.surprises.load(), 0);
  });
}

}  // namespace
}  // namespace harrier::test
