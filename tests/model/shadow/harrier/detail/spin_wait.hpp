// SPDX-License-Identifier: Apache-2.0
// Stands in front of the shipped header of this name: a thread that waits lets the others go on.
#pragma once

#include <relacy_atomics.hpp>

namespace harrier::detail {

inline void pause_processor() { rl::yield(1, $); }
inline void pause_processor_for(unsigned) { rl::yield(1, $); }
inline void give_slice_away() { rl::yield(1, $); }
inline void spin_wait(unsigned) { rl::yield(1, $); }

}  // namespace harrier::detail
