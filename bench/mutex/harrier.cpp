// SPDX-License-Identifier: Apache-2.0
// mutex as harrier's: the one for all loops (harrier) and the one for one loop (harrier_local), on a
// lone runner.
#include <harrier/runner.hpp>
#include <harrier/sync/mutex.hpp>

#include "config.hpp"

#include <memory>

namespace bench::mutex {
namespace {

template <class Mutex>
harrier::task<std::uint64_t> lock_often(std::uint64_t times) {
  Mutex lock;
  std::uint64_t value = 0;
  for (; times > 0; --times) {
    auto guard = co_await lock.lock();
    ++value;
  }
  co_return value;
}

template <class Mutex>
measurement prepare(std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t n) { return runner->run(lock_often<Mutex>(n)); });
}

const contender across("mutex", "harrier", {1}, prepare<harrier::mutex>);
const contender local("mutex", "harrier_local", {1}, prepare<harrier::local_mutex>);

}  // namespace
}  // namespace bench::mutex
