// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "contenders.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace harrier::cli {

/// How long and how often contenders are measured; the same for all of them, in C++ and in Python.
class comparison_plan {
 public:
  comparison_plan() {}

  std::uint64_t most_coroutines = 1'000'000;
  int rounds = 9;
  /// A round of one contender has as many coroutines as fit in here, at most most_coroutines.
  std::chrono::duration<double> round_time{0.04};
};

/// Measures all contenders in interleaved rounds, so that a slow moment of the machine hits all of
/// them, and takes the median of each. `on_round` is called before each with the rounds done.
std::vector<contender_figures> measure_contenders(
    const std::vector<contender>& contenders, const comparison_plan& plan,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& on_round);

}  // namespace harrier::cli
