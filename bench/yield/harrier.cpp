// SPDX-License-Identifier: Apache-2.0
// yield as harrier coroutines: a dispatch on the runtime for the crowd, a lone runner for the one.
#include <harrier/runtime.hpp>

#include "../common/frame_bytes.hpp"
#include "config.hpp"

namespace bench::yield {
namespace {

harrier::task<std::uint64_t> yielding_index(std::uint64_t i) {
  co_await harrier::yield();
  co_return i;
}

harrier::task<> yield_often(std::uint64_t times) {
  for (; times > 0; --times) co_await harrier::yield();
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

const contender crowd("yield", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure(
             [runtime](std::uint64_t n) { return finished(runtime->dispatch(n, yielding_index)); })
      .with_counter("frame_bytes", [] { return frame_bytes(yielding_index(0)); });
});

const contender alone("yield_alone", "harrier", {1}, [](std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure_alone([runner](std::uint64_t n) { runner->run(yield_often(n)); });
});

}  // namespace
}  // namespace bench::yield
