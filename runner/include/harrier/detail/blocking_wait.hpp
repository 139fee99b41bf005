// SPDX-License-Identifier: Apache-2.0
// One thread of ordinary code that waits for one event.
#pragma once

#include <harrier/detail/config.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace harrier::detail {

/// Threads   one thread waits, one thread finishes, once.
/// Lifetime  may be destroyed as soon as wait() has returned, although finish() may not have yet.
class HARRIER_EXPORT blocking_wait {
 public:
  /// Throws blocking_in_loop if this thread runs a loop.
  static void refuse_in_loop(const char* call);

  void finish() noexcept;
  void wait() noexcept;
  /// False: the deadline came first.
  bool wait_until(std::chrono::steady_clock::time_point deadline) noexcept;

 private:
  std::atomic<std::uint32_t> done_{0};
};

}  // namespace harrier::detail
