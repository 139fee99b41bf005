// SPDX-License-Identifier: Apache-2.0
// A task owns its frame: there is one of it.
// EXPECT: deleted
#include <harrier/task.hpp>

#include <utility>

harrier::task<int> answer() { co_return 42; }

void caller() {
  auto first = answer();
#ifdef CORRECT
  auto second = std::move(first);
#else
  auto second = first;
#endif
}
