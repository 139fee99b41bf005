// SPDX-License-Identifier: Apache-2.0
// uneven_batch as one dispatch.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <benchmark/benchmark.h>

#include <memory>

namespace bench::uneven_batch {
namespace {

harrier::task<> run_item(std::uint64_t i, std::uint64_t items) {
  benchmark::DoNotOptimize(item(i, items));
  co_return;
}

const contender dispatched("uneven_batch", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](std::uint64_t n) {
    auto batch = runtime->dispatch(n, [n](std::uint64_t i) { return run_item(i, n); });
    batch.get();
  });
});

}  // namespace
}  // namespace bench::uneven_batch
