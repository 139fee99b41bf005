// SPDX-License-Identifier: Apache-2.0
// The ported cases on a lone runner.
#include "case.hpp"

// Where there is a simulation the cases are compiled for it: they call this at each branch. Outside of it
// nobody is to be preempted.
extern "C" void __sanitizer_cov_trace_pc() {}

namespace harrier::test {

void run_case(task<> (*body)(), turns /*needs*/) {
  virtual_clock time;
  runner alone(on(time));
  alone.run(body());
}

}  // namespace harrier::test
