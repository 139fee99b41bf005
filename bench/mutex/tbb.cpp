// SPDX-License-Identifier: Apache-2.0
// mutex as a spin mutex of oneTBB, which may not be held across a suspension.
#include "config.hpp"

#include <tbb/spin_mutex.h>

namespace bench::mutex {
namespace {

const contender blocking("mutex", "tbb", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    tbb::spin_mutex lock;
    std::uint64_t value = 0;
    for (; n > 0; --n) {
      const tbb::spin_mutex::scoped_lock guard(lock);
      ++value;
    }
    return value;
  });
});

}  // namespace
}  // namespace bench::mutex
