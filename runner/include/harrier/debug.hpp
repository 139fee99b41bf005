// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <cstdint>

namespace harrier {

/// Whether a runner or a runtime watches what runs in it and reports, to its exception handler:
/// - a step of a task, or a callback, that took as long as `slow_step` or longer;
/// - a task that is dropped without ever having been awaited, run or spawned;
/// - with every report on a spawned task, where it was spawned.
/// And call_soon() and spawn() on another thread than the loop's throw `wrong_thread`.
///
/// Cost   off: one branch for each step. On: two looks at the clock for each step, and memory for the
///        place of each spawn.
enum class debug_mode : std::uint8_t {
  from_environment,  ///< on if HARRIER_DEBUG is set, and neither empty nor 0
  off,
  on,
};

namespace detail {
HARRIER_EXPORT bool is_on(debug_mode mode) noexcept;
}

}  // namespace harrier
