// SPDX-License-Identifier: Apache-2.0
// outside_spawn: threads that are no workers hand over trivial tasks one by one, as fast as they
// can; then one waits until all have run.
//   outside_spawn  one thread
//   spawn_storm    four threads at once, an equal share each, on one runtime
//
// Question  what does the way in from outside cost, when the workers are awake and when they fall
//           asleep in between? Does it stand when threads crowd at it?
// Unit      ns of wall time per task, from the first spawn until the last has run.
// Unfair    handing over many in one call (that is flat_batch); a countdown that all workers fight
//           over (this one has a counter per 1024 tasks). No contender bounds its queue. The
//           submitting threads compete with the workers for the cores. The storm's threads exist
//           before its time starts; waking them is part of it, for everybody.
// Sizes     HARRIER_BENCH_OUTSIDE_SPAWN_N: 1000, 100000, official 1000000 tasks a round.
#pragma once

#include "../common/contender.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace bench::outside_spawn {

/// Counts tasks that have run and lets one thread wait for all of them. Kept from round to round,
/// so that the last task may still be notifying when the waiter has gone on.
class countdown {
 public:
  explicit countdown(std::uint64_t tasks) : tasks_(tasks), blocks_((tasks + block - 1) / block) {}

  void restart() {
    for (std::uint64_t i = 0; i < blocks_.size(); ++i) {
      blocks_[i].left.store(std::min(block, tasks_ - i * block));
    }
    left_.store(blocks_.size());
  }
  void count(std::uint64_t task) {
    if (blocks_[task / block].left.fetch_sub(1) == 1 && left_.fetch_sub(1) == 1) left_.notify_one();
  }
  void wait() const {
    for (std::uint64_t left = left_.load(); left != 0; left = left_.load()) left_.wait(left);
  }

 private:
  static constexpr std::uint64_t block = 1024;
  class alignas(64) counter {
   public:
    std::atomic<std::uint64_t> left = 0;
  };
  std::uint64_t tasks_;
  std::deque<counter> blocks_;
  alignas(64) std::atomic<std::uint64_t> left_ = 0;
};

inline std::uint64_t size() { return parameter("OUTSIDE_SPAWN_N", 1'000, 100'000, 1'000'000); }

/// A contender's measurement; spawn(first, last, countdown) hands over the tasks first .. last - 1,
/// and task i counts i.
template <class F>
measurement measure(F spawn) {
  const std::uint64_t n = size();
  auto left = std::make_shared<countdown>(n);
  return measurement(static_cast<double>(n), [n, left, spawn = std::move(spawn)] {
    left->restart();
    return timed([&] {
      spawn(0, n, *left);
      left->wait();
    });
  });
}

/// The same by several threads; `spawn` is called by all of them.
template <class F>
measurement measure_storm(F spawn) {
  constexpr std::uint64_t threads = 4;
  const std::uint64_t n = size();
  auto left = std::make_shared<countdown>(n);
  return measurement(static_cast<double>(n), [n, left, spawn = std::move(spawn)] {
    left->restart();
    std::latch start(1);
    std::vector<std::jthread> storm;
    for (std::uint64_t i = 0; i < threads; ++i) {
      storm.emplace_back([&, i] {
        start.wait();
        spawn(i * n / threads, (i + 1) * n / threads, *left);
      });
    }
    return timed([&] {
      start.count_down();
      left->wait();
    });
  });
}

}  // namespace bench::outside_spawn
