// SPDX-License-Identifier: Apache-2.0
// Lone loops under fire from other threads: posts, cancels, closes.
#include "stress/support.hpp"

#include <algorithm>
#include <memory>

namespace harrier::test {
namespace {

TEST(loop_stress, posts_from_many_threads_all_arrive_and_no_wake_is_lost) {
  stress([](std::uint64_t seed) {
    runner r;
    event_loop& loop = r.loop();
    constexpr std::uint64_t threads = 4;
    constexpr std::uint64_t each = scaled<std::uint64_t>(50'000, 10'000);
    std::uint64_t arrived = 0;
    gate done;
    std::vector<std::thread> posters;
    for (std::uint64_t t = 0; t < threads; ++t) {
      posters.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < each; ++i) {
          loop.post([&] {
            if (++arrived == threads * each) done.open();
          });
          // Now and then let the loop fall asleep.
          if (mix(seed + t, i) % 64 == 0) std::this_thread::yield();
        }
      });
    }
    auto main = [&]() -> task<> { co_await done.wait(); };
    r.run(main());
    for (std::thread& t : posters) t.join();
    ASSERT_EQ(arrived, threads * each);
  });
}

TEST(loop_stress, cancels_from_another_thread_race_with_wakes) {
  stress([](std::uint64_t seed) {
    runner r;
    constexpr std::uint64_t n = scaled<std::uint64_t>(2'000, 500);
    auto main = [&]() -> task<std::uint64_t> {
      std::vector<int> ended(n);
      std::vector<std::unique_ptr<join_handle<void>>> handles;
      auto body = [&](std::uint64_t i) -> task<> {
        try {
          switch (mix(seed, i) % 3) {
            case 0:
              co_await sleep_for(std::chrono::microseconds(mix(seed, i) % 200));
              break;
            case 1:
              co_await yield();
              break;
            default:
              co_await sleep_for(24h);
          }
        } catch (const cancelled&) {
        }
        ++ended[i];
      };
      for (std::uint64_t i = 0; i < n; ++i) {
        handles.push_back(std::make_unique<join_handle<void>>(spawn(body(i))));
      }
      co_await yield();
      std::thread canceller([&] {
        for (const auto& h : handles) h->cancel();
      });
      for (std::uint64_t i = 0; i < n; ++i) {
        try {
          co_await *handles[i];
        } catch (const cancelled&) {
          // Before its first step, or with the body over and the cancel undelivered.
          if (ended[i] == 0) ++ended[i];
        }
      }
      canceller.join();
      co_return static_cast<std::uint64_t>(std::count(ended.begin(), ended.end(), 1));
    };
    ASSERT_EQ(r.run(main()), n) << "each task ended exactly once";
  });
}

TEST(loop_stress, posts_race_with_close) {
  stress([](std::uint64_t seed) {
    for (std::uint64_t round = 0; round < 50; ++round) {
      auto life = std::make_shared<int>(0);
      std::atomic<std::uint64_t> posted{0};
      std::atomic<bool> over{false};
      auto r = std::make_unique<runner>();
      event_loop& loop = r->loop();
      std::thread poster([&] {
        try {
          while (!over.load()) {
            loop.post([life] { ++*life; });
            posted.fetch_add(1);
          }
        } catch (const loop_closed&) {
        }
      });
      const std::uint64_t wait_for = mix(seed, round) % 100;
      while (posted.load() < wait_for) std::this_thread::yield();
      auto main = []() -> task<> { co_await yield(); };
      r->run(main());
      over = true;  // the loop object must outlive the poster, so it stops before the end
      poster.join();
      r.reset();
      ASSERT_EQ(life.use_count(), 1);
    }
  });
}

}  // namespace
}  // namespace harrier::test
