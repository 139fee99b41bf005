// SPDX-License-Identifier: Apache-2.0
// One case under many seeds, for tests that say what they expect by EXPECT_.
//
//   HARRIER_SEED=N        replays one seed
//   HARRIER_SIM_SEEDS=N   how many seeds each case gets; without it each names a quick number
#pragma once

#include <harrier/simulation.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>

namespace harrier::test {

/// Runs `body` under each seed until one fails, which is named.
template <class Body>
void for_each_seed(int quick, const std::string& what, Body body) {
  const char* const replay = std::getenv("HARRIER_SEED");
  const char* const asked = std::getenv("HARRIER_SIM_SEEDS");
  const std::uint64_t first = replay != nullptr ? std::strtoull(replay, nullptr, 0) : 1;
  const std::uint64_t count = replay != nullptr  ? 1
                              : asked != nullptr ? std::strtoull(asked, nullptr, 0)
                                                 : static_cast<std::uint64_t>(quick);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    try {
      simulation sim(seed);
      sim.run(body);
      EXPECT_EQ(live_frames(), 0u) << "frames are left";
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << what << ": replay with HARRIER_SEED=" << seed;
      return;
    }
  }
}

}  // namespace harrier::test
