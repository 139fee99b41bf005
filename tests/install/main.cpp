// SPDX-License-Identifier: Apache-2.0
// A program of somebody else: a batch of 1000 coroutines over the workers.
#include <harrier/runtime.hpp>
#include <harrier/version.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>

harrier::task<std::uint64_t> item(std::uint64_t index) { co_return index; }

int main() {
  harrier::runtime runtime(2);
  auto batch = runtime.dispatch(1000, item);
  std::uint64_t sum = 0;
  for (const std::uint64_t value : batch.get()) {
    sum += value;
  }
  std::printf("harrier %s: sum %llu\n", harrier::version(), static_cast<unsigned long long>(sum));
  return sum == 499500 && std::strcmp(harrier::version(), HARRIER_VERSION) == 0 ? 0 : 1;
}
