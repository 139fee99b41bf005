// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/index_set.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace harrier {

/// A part of a batch that can be sent: which procedure, over which items, with which seed, and for the
/// how-manieth time. Whoever gets one needs nothing else to run it (procedure_registry.hpp), and
/// running it twice gives what running it once gives, if the procedure takes all its chance from the
/// items' seeds.
class HARRIER_EXPORT chunk {
 public:
  chunk() {}
  chunk(std::string of, index_range over, std::uint64_t batch_seed = 0,
        std::uint32_t try_number = 1)
      : procedure(std::move(of)), items(over), seed(batch_seed), attempt(try_number) {}

  /// One line of text, without a line break unless the procedure's name has one:
  /// `harrier-chunk/1 FIRST LAST SEED ATTEMPT PROCEDURE`.
  std::string encode() const;
  /// Throws std::invalid_argument for anything that encode() does not write.
  static chunk decode(std::string_view text);

  /// The same once more, after it failed or nobody acknowledged it.
  chunk next_attempt() const;
  /// Parts of at most `most` items each, in order. Throws std::invalid_argument if `most` is 0.
  std::vector<chunk> cut(std::uint64_t most) const;

  friend bool operator==(const chunk&, const chunk&) = default;

  std::string procedure;
  index_range items;
  std::uint64_t seed = 0;  ///< of the whole batch; item_seed() makes an item's from it
  std::uint32_t attempt = 1;
};

}  // namespace harrier
