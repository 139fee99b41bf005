// SPDX-License-Identifier: Apache-2.0
// What the stress tests share: a seed, a time box, and numbers that depend on nothing else.
//
//   HARRIER_SEED=N            replays a run: one round with that seed
//   HARRIER_STRESS_SECONDS=S  how long each case goes on with new seeds (3)
//
// Threads make the interleaving differ from run to run, so a seed replays the work, not the races.
#pragma once

#include "unit/support.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace harrier::test {

/// splitmix64: a value for each (seed, index), on any thread, in any order.
constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Runs `round(seed)` until the time box, or a share of it, is used up; at least once. A failure names
/// its seed.
template <class Round>
void stress(Round round, double share = 1) {
  using seconds = std::chrono::duration<double>;
  const char* const replay = std::getenv("HARRIER_SEED");
  const char* const box = std::getenv("HARRIER_STRESS_SECONDS");
  const seconds limit(box != nullptr ? std::atof(box) * share : 3.0 * share);
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t rounds = 0;
  do {
    const std::uint64_t seed =
        replay != nullptr ? std::strtoull(replay, nullptr, 0) : std::random_device()();
    std::cout << "seed " << seed << std::endl;  // before the round: a crash must not hide it
    round(seed);
    ++rounds;
    if (testing::Test::HasFailure()) {
      std::cout << "replay with HARRIER_SEED=" << seed << std::endl;
      return;
    }
  } while (replay == nullptr && std::chrono::steady_clock::now() - start < limit);
  std::cout << rounds << " rounds" << std::endl;
}

}  // namespace harrier::test
