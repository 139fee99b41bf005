// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/victim_order.hpp>

#include <algorithm>
#include <utility>

namespace harrier::detail {

void victim_order::sort_by(const std::vector<unsigned>& distances) {
  std::vector<std::uint32_t> victims;
  victims.reserve(workers_);
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    if (worker != self_) {
      victims.push_back(static_cast<std::uint32_t>(worker));
    }
  }
  std::sort(victims.begin(), victims.end(), [&](std::uint32_t one, std::uint32_t other) {
    return std::pair(distances[one], one) < std::pair(distances[other], other);
  });
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < victims.size(); ++at) {
    if (at + 1 == victims.size() || distances[victims[at]] != distances[victims[at + 1]]) {
      ends.push_back(at + 1);
    }
  }
  victims_ = std::move(victims);
  ends_ = std::move(ends);
}

}  // namespace harrier::detail
