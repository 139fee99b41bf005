// SPDX-License-Identifier: Apache-2.0
// Stands in front of the shipped header of this name: which execution is running is the thread of the
// schedule.
#pragma once

#include <harrier/detail/config.hpp>

#include <relacy_atomics.hpp>

namespace harrier::detail {

struct execution {};

inline execution executions[4];

inline execution* here() noexcept { return &executions[rl::thread_index()]; }

}  // namespace harrier::detail
