// SPDX-License-Identifier: Apache-2.0
// The ported cases on a lone runner.
#include "case.hpp"

namespace harrier::test {

void run_case(task<> (*body)(), turns /*needs*/) {
  virtual_clock time;
  runner alone(on(time));
  alone.run(body());
}

}  // namespace harrier::test
