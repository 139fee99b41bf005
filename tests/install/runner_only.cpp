// SPDX-License-Identifier: Apache-2.0
// A program that needs one thread: it links harrier::runner alone.
#include <harrier/runner.hpp>

harrier::task<int> answer() { co_return 42; }

int main() {
  harrier::runner runner;
  return runner.run(answer()) == 42 ? 0 : 1;
}
