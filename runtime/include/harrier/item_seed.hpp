// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace harrier {

/// The seed of one item: the same for the same batch and index whatever runs it, where, and how often
/// it was tried before, so that a run that was cut off and continued draws the same numbers as one
/// that was not. Well mixed: neighbouring items, and batches with neighbouring seeds, have nothing in
/// common.
///
/// The values are part of the interface: checkpoints and chunks outlive the program.
constexpr std::uint64_t item_seed(std::uint64_t batch_seed, std::uint64_t index) noexcept {
  // The finaliser of SplitMix64, once over the batch's seed and once over the item.
  constexpr auto mixed = [](std::uint64_t word) {
    word += 0x9e3779b97f4a7c15;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
  };
  return mixed(mixed(batch_seed) ^ index);
}

}  // namespace harrier
