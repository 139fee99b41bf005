// SPDX-License-Identifier: Apache-2.0
// A consumer of harrier::simulation.
#include <harrier/simulation.hpp>

#include <chrono>
#include <thread>

int main() {
  int result = 0;
  harrier::simulate(20, 2, [&](harrier::runtime& rt) {
    std::this_thread::sleep_for(std::chrono::hours(1));
    result = rt.run([]() -> harrier::task<int> {
      co_await harrier::yield();
      co_return 42;
    }());
  });
  return result == 42 ? 0 : 1;
}
