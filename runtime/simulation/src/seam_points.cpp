// SPDX-License-Identifier: Apache-2.0
// Where a preemption may fall: at every branch of code that was compiled with
// -fsanitize-coverage=trace-pc, which makes the compiler call us there. Inside the library that is
// all of it.
//
// A seed picks some of these places, many or few, and preempts there every second time. A choice by
// place, not by count, so that what runs once only (a first use, a warm cache) shifts nothing.
// Rejected    calls by hand in front of each atomic operation: they would be missing where somebody
//             forgot one. A preemption after so many branches: the second run of a seed in a process
//             took another way than the first.
#include <harrier/detail/config.hpp>

#include "seam_clock.hpp"

namespace harrier::simulated {

namespace {
extern "C" char __executable_start;
extern "C" char etext;
}  // namespace

void preempt_caller(const void* caller) {
  if (caller >= &__executable_start && caller < &etext) {
    scheduler& at = scheduler::instance();
    if (at.picks(caller)) {
      at.preempt(caller);
    }
  }
}

}  // namespace harrier::simulated

extern "C" HARRIER_EXPORT void __sanitizer_cov_trace_pc() {
  const harrier::simulated::uninterrupted seam;
  if (seam.thread() != nullptr) {
    const void* where = __builtin_return_address(0);
    harrier::simulated::scheduler& at = harrier::simulated::scheduler::instance();
    if (at.picks(where)) {
      at.preempt(where);
    }
  }
}
