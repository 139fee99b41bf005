// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace harrier {

/// How urgent a spawned task, or the items of a batch, are. A worker runs what is ready there in
/// this order; one step in 122 goes to each lower class, so that none of them starves.
///
/// Order     on each worker, first in first out within a class. Forked children have no class: they
///           run before normal tasks, as part of what is already under way. A worker that has
///           nothing left takes the high ones of others first, too. Across workers nothing is
///           compared: one worker may run a normal task while a high one waits on another.
/// Cost      a normal task pays nothing. High tasks that come from outside are noticed after at most
///           61 steps.
enum class priority : std::uint8_t { high, normal, low };

}  // namespace harrier
