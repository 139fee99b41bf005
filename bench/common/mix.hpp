// SPDX-License-Identifier: Apache-2.0
// Pseudo-random input that is the same in every contender, on every machine.
#pragma once

#include <cstdint>

namespace bench {

/// A bijection of 64-bit words in which every input bit changes every output bit with a probability
/// near one half: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t mix(std::uint64_t word) {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

/// The generator number `index` that splits off from `state`.
constexpr std::uint64_t split(std::uint64_t state, std::uint64_t index) {
  return mix(state + (index + 1) * 0x9e3779b97f4a7c15);
}

}  // namespace bench
