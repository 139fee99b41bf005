// SPDX-License-Identifier: Apache-2.0
// A task is lazy: a discarded one would silently never run.
// EXPECT: nodiscard|unused-result
#include <harrier/task.hpp>

harrier::task<int> answer() { co_return 42; }

void caller() {
#ifdef CORRECT
  auto kept = answer();
#else
  answer();
#endif
}
