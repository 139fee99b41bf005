// SPDX-License-Identifier: Apache-2.0
// A batch that a thread of ordinary code hands in, and its reference model: which items succeed, at which
// attempt, follows from the specification alone.
#pragma once

#include <harrier/runtime.hpp>

#include "specification.hpp"

namespace harrier::fuzz {

/// Hands it in, waits for its end, and aborts if anything is not as it should be. `stops`: somebody may
/// stop the runtime meanwhile.
void run_batch(runtime& rt, const batch_specification& what, bool stops);

}  // namespace harrier::fuzz
