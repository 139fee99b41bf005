// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/item_seed.hpp>

#include <cstdint>

namespace harrier {

/// Which item of its batch a factory is to make, and for the how manieth time: passed to factories
/// that take it as their second parameter: by value, as coroutines take what they keep.
class batch_item {
 public:
  batch_item(std::uint64_t batch_seed, std::uint64_t at, std::uint32_t try_number = 1) noexcept
      : index(at), attempt(try_number), batch_seed_(batch_seed) {}

  /// A function of the batch's seed and the index: the same in every run and for every attempt.
  std::uint64_t seed() const noexcept { return item_seed(batch_seed_, index); }

  std::uint64_t index;  ///< the position in the input
  std::uint32_t attempt;  ///< 1 for the first

 private:
  std::uint64_t batch_seed_;
};

}  // namespace harrier
