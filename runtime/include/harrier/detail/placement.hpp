// SPDX-License-Identifier: Apache-2.0
// Which worker runs on which processors, and how far from each other two workers are then.
//
// Threads     constant once made; each worker's thread pins itself.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/pinning.hpp>

#include <cstddef>
#include <system_error>
#include <vector>

namespace harrier::detail {

/// How far apart two processors are: 0 the same core, 1 the same L2, 2 the same L3, 3 the same node,
/// 4 another node.
HARRIER_EXPORT unsigned distance(const processor& one, const processor& other) noexcept;

class HARRIER_EXPORT placement {
 public:
  /// `processors` are those that the process may use. Throws std::bad_alloc.
  placement(pinning how, std::vector<processor> processors, std::size_t workers);

  /// The kernel's numbers, ascending.
  const std::vector<int>& processors_of(std::size_t worker) const noexcept { return sets_[worker]; }
  /// Of each worker from `worker`: pinned to nodes, workers differ by their node alone.
  std::vector<unsigned> distances_from(std::size_t worker) const;

  /// Ties the calling thread to the processors of `worker`.
  std::error_code pin(std::size_t worker) const noexcept;
  /// Lets the calling thread, which may have been made by a pinned one, run on all of them again.
  void unpin() const noexcept;

 private:
  pinning how_;
  std::vector<processor> at_;  // for each worker, one of its processors
  std::vector<std::vector<int>> sets_;
  std::vector<int> all_;
};

}  // namespace harrier::detail
