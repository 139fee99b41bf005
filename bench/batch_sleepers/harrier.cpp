// SPDX-License-Identifier: Apache-2.0
// batch_sleepers as one for_each with a window.
#include <harrier/runtime.hpp>

#include "../common/frame_bytes.hpp"
#include "config.hpp"

#include <memory>

namespace bench::batch_sleepers {
namespace {

harrier::task<> sleep_its_time(std::uint64_t i) { co_await harrier::sleep_for(sleep_of(i)); }

const contender bounded("batch_sleepers", "harrier", worker_counts(), [](std::size_t workers) {
  auto rt = std::make_shared<harrier::runtime>(workers);
  const std::uint64_t n = size();
  return measurement(static_cast<double>(n),
                     [rt, n] {
                       return timed([&] {
                         const auto options = harrier::dispatch_options().with_window(window());
                         rt->for_each(n, sleep_its_time, options).get();
                       });
                     })
      .with_warm_up([rt] { rt->for_each(window() / 100, sleep_its_time).get(); })
      .with_counter("frame_bytes", [] { return frame_bytes(sleep_its_time(0)); });
});

}  // namespace
}  // namespace bench::batch_sleepers
