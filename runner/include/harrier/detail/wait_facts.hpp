// SPDX-License-Identifier: Apache-2.0
// What a wait says of itself: ready_operations::tell.
#pragma once

#include <harrier/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace harrier::detail {

/// Who must do something before the wait ends.
enum class wait_needs : std::uint8_t {
  all,  ///< each of `on`
  any,  ///< one of `on`, or somebody else
};

struct wait_facts {
  wait_facts() noexcept {}

  const void* object = nullptr;  ///< the primitive
  std::optional<time_point> due;  ///< on the clock of the loop of the wait
  /// By an address that tells them apart, and is not to be followed: of tasks the record, the context in
  /// it, or the promise of its root; of a batch its core, for all its items.
  std::vector<const void*> on;
  wait_needs needs = wait_needs::all;
  bool is_held = false;  ///< `on` holds the object; else it is to end
  std::string more;  ///< in words
};

}  // namespace harrier::detail
