// SPDX-License-Identifier: Apache-2.0
// semaphore as harrier's: the one for all loops (harrier) and the one for one loop (harrier_local), on
// a lone runner.
#include <harrier/runner.hpp>
#include <harrier/sync/semaphore.hpp>

#include "config.hpp"

#include <memory>

namespace bench::semaphore {
namespace {

template <class Semaphore>
harrier::task<std::uint64_t> acquire_often(std::uint64_t times) {
  Semaphore units(2);
  std::uint64_t value = 0;
  for (; times > 0; --times) {
    co_await units.acquire();
    ++value;
    units.release();
  }
  co_return value;
}

template <class Semaphore>
measurement prepare(std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t n) { return runner->run(acquire_often<Semaphore>(n)); });
}

const contender across("semaphore", "harrier", {1}, prepare<harrier::semaphore>);
const contender local("semaphore", "harrier_local", {1}, prepare<harrier::local_semaphore>);

}  // namespace
}  // namespace bench::semaphore
