// SPDX-License-Identifier: Apache-2.0
// How short memory is: asked of the system at most four times a second, however many batches ask.
//
// Threads     any.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>

namespace harrier::detail {

/// The part of the memory that is in use, of whatever bound is nearest: that of a cgroup (version 2) of the
/// process, without what the kernel would drop from its cache; its address space; the machine.
/// 1 if there is no memory to find out.
HARRIER_EXPORT double memory_in_use() noexcept;

class HARRIER_EXPORT memory_gauge {
 public:
  static constexpr duration period = std::chrono::milliseconds(250);

  /// `source` gives what memory_in_use() does; empty: that.
  explicit memory_gauge(const std::function<double()>& source) noexcept : source_(source) {}

  /// The last answer, a new one if it is older than `period`.
  double read(time_point now) noexcept;

 private:
  const std::function<double()>& source_;
  // relaxed: who sees the new time and the old answer decides by an answer that is a little older
  std::atomic<duration::rep> next_{std::numeric_limits<duration::rep>::min()};
  std::atomic<double> last_{0};
};

}  // namespace harrier::detail
