// SPDX-License-Identifier: Apache-2.0
// What the other seams need of the clock and of the places where preemptions fall.
#pragma once

#include "scheduler.hpp"

#include <ctime>

namespace harrier::simulated {

/// A point in time of that clock, as one of the scheduler's.
nanoseconds as_nanoseconds(clockid_t clock, const timespec& time) noexcept;

/// A place where a preemption may fall, if the caller is code of the program's: what the C++ library
/// and oneTBB do with a lock is not to be cut up, as their memory belongs to one thread.
void preempt_caller(const void* caller);

}  // namespace harrier::simulated
