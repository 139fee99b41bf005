// SPDX-License-Identifier: Apache-2.0
// flat_batch as one dispatch to the runtime.
#include <harrier/runtime.hpp>

#include "../common/frame_bytes.hpp"
#include "config.hpp"

#include <benchmark/benchmark.h>

#include <functional>

namespace bench::flat_batch {
namespace {

harrier::task<std::uint64_t> index(std::uint64_t i) { co_return i; }

harrier::task<> nothing(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  co_return;
}

/// A finished batch, seen as its results.
class finished {
 public:
  explicit finished(harrier::batch<std::uint64_t> batch)
      : batch_(std::move(batch)), results_(batch_.get()) {}
  std::uint64_t operator[](std::uint64_t i) const { return results_[i]; }

 private:
  harrier::batch<std::uint64_t> batch_;
  std::span<std::uint64_t> results_;
};

measurement collect(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](std::uint64_t n) { return finished(runtime->dispatch(n, index)); })
      .with_counter("loops_created",
                    [runtime] { return static_cast<double>(runtime->metrics().loops_created); })
      .with_counter("frames_peak",
                    [runtime] { return static_cast<double>(runtime->metrics().frames_peak); })
      .with_counter("frame_bytes", [] { return frame_bytes(index(0)); });
}

const contender collected("flat_batch", "harrier", worker_counts(), collect);
const contender crowded("flat_batch_oversubscribed", "harrier", oversubscribed_workers(), collect);

const contender discarded("flat_batch_discarded", "harrier", worker_counts(),
                          [](std::size_t workers) {
                            auto runtime = std::make_shared<harrier::runtime>(workers);
                            return measure_discarded([runtime](std::uint64_t n) {
                              auto batch = runtime->dispatch(n, nothing);
                              batch.get();
                            });
                          });

const contender reduced("flat_batch_reduced", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure_discarded([runtime](std::uint64_t n) {
    auto sum = runtime->reduce(n, index, harrier::reduction(std::uint64_t{0}, std::plus<>()));
    check(sum.get() == n * (n - 1) / 2, "flat_batch_reduced");
  });
});

}  // namespace
}  // namespace bench::flat_batch
