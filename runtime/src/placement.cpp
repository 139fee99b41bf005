// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/placement.hpp>

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <tuple>
#include <utility>

namespace harrier::detail {

namespace {

std::error_code set_affinity(const std::vector<int>& processors) noexcept {
  if (processors.empty()) {
    return std::make_error_code(std::errc::invalid_argument);
  }
  const int most = processors.back() + 1;
  cpu_set_t* set = CPU_ALLOC(most);
  if (set == nullptr) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
  const std::size_t bytes = CPU_ALLOC_SIZE(most);
  CPU_ZERO_S(bytes, set);
  for (const int each : processors) {
    CPU_SET_S(static_cast<std::size_t>(each), bytes, set);
  }
  const int failed = ::sched_setaffinity(0, bytes, set) == 0 ? 0 : errno;
  CPU_FREE(set);
  return {failed, std::system_category()};
}

/// The order in which workers get cores: see pinning::cores.
std::vector<processor> core_order(std::vector<processor> processors) {
  std::sort(processors.begin(), processors.end(),
            [](const processor& one, const processor& other) { return one.id < other.id; });
  std::map<int, int> threads_seen;  // by core
  std::vector<std::pair<int, processor>> ranked;  // by which hardware thread of its core it is
  ranked.reserve(processors.size());
  for (const processor& each : processors) {
    ranked.emplace_back(threads_seen[each.core]++, each);
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& one, const auto& other) {
    return std::tuple(-one.second.core_type, one.first, one.second.node, one.second.id) <
           std::tuple(-other.second.core_type, other.first, other.second.node, other.second.id);
  });
  for (std::size_t at = 0; at < ranked.size(); ++at) {
    processors[at] = ranked[at].second;
  }
  return processors;
}

std::vector<processor> node_order(std::vector<processor> processors) {
  std::sort(processors.begin(), processors.end(), [](const processor& one, const processor& other) {
    return std::tuple(one.node, one.id) < std::tuple(other.node, other.id);
  });
  return processors;
}

}  // namespace

unsigned distance(const processor& one, const processor& other) noexcept {
  if (one.node != other.node) {
    return 4;
  }
  if (one.core == other.core) {
    return 0;
  }
  if (one.l2 == other.l2) {
    return 1;
  }
  return one.l3 == other.l3 ? 2 : 3;
}

placement::placement(pinning how, std::vector<processor> processors, std::size_t workers)
    : how_(how) {
  if (processors.empty()) {
    processors.emplace_back(0);
  }
  const std::size_t count = processors.size();
  processors =
      how == pinning::cores ? core_order(std::move(processors)) : node_order(std::move(processors));
  at_.reserve(workers);
  sets_.resize(workers);
  for (std::size_t worker = 0; worker < workers; ++worker) {
    at_.push_back(processors[how == pinning::cores ? worker % count : worker * count / workers]);
    for (const processor& each : processors) {
      if (how == pinning::cores ? each.id == at_[worker].id : each.node == at_[worker].node) {
        sets_[worker].push_back(each.id);
      }
    }
  }
  for (const processor& each : processors) {
    all_.push_back(each.id);
  }
  std::sort(all_.begin(), all_.end());
}

std::vector<unsigned> placement::distances_from(std::size_t worker) const {
  std::vector<unsigned> distances;
  distances.reserve(at_.size());
  for (const processor& each : at_) {
    distances.push_back(how_ == pinning::cores ? distance(at_[worker], each)
                                               : (each.node == at_[worker].node ? 3u : 4u));
  }
  return distances;
}

std::error_code placement::pin(std::size_t worker) const noexcept {
  return set_affinity(sets_[worker]);
}

void placement::unpin() const noexcept {
  // Where it may not, it runs where it may.
  std::ignore = set_affinity(all_);
}

}  // namespace harrier::detail
