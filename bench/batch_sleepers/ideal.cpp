// SPDX-License-Identifier: Apache-2.0
// batch_sleepers, computed: the sum of all sleeps, divided by how many sleep at a time.
#include "config.hpp"

namespace bench::batch_sleepers {
namespace {

const contender computed("batch_sleepers", "ideal", worker_counts(), [](std::size_t) {
  const std::uint64_t n = size();
  duration slept{0};
  for (std::uint64_t i = 0; i < n; ++i) slept += sleep_of(i);
  const duration ideal = slept / window();
  return measurement(static_cast<double>(n), [ideal] { return ideal; });
});

}  // namespace
}  // namespace bench::batch_sleepers
