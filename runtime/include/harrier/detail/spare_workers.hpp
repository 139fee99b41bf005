// SPDX-License-Identifier: Apache-2.0
// Workers beyond the regular ones, for when all of these block their threads.
//
// Threads     the thread of the stall watch starts them, under the runtime's mutex.
// Invariant 1 the slots of spare workers are there from the start, behind the others, so that no array with
//             an entry for each slot ever grows. One without a thread is empty: nothing is dealt or sent
//             to it, and it is not hungry (idle_set.hpp).
// Protocol    the watch finds every worker that has a thread in a step for too long; the next spare one
//             starts, and counts as awake until it has had that long itself.
// Rejected    Retiring one when another worker is back: whoever wakes a worker would have to pass over one
//             that sleeps and takes nothing, while what suspended there still needs its loop. It stays; the
//             wake, which asks the slots in their order, comes to it last.
#pragma once

#include <harrier/runtime_options.hpp>

namespace harrier::detail {

/// Throws std::invalid_argument: why there can be no spare workers.
void check_spare_workers(const runtime_options& options);

}  // namespace harrier::detail
