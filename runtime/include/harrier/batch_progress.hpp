// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace harrier {

/// How far a batch has come. A snapshot while it runs: the figures may be some items apart.
class batch_progress {
 public:
  batch_progress() noexcept {}

  std::uint64_t ended() const noexcept { return completed + failed + cancelled; }
  /// Items that have ended in a second, over the whole time so far.
  double rate() const noexcept {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    return seconds > 0 ? static_cast<double>(ended()) / seconds : 0;
  }
  /// How long the rest takes at that rate, if the number of items is known and some have ended.
  std::optional<duration> remaining() const noexcept {
    const double per_second = rate();
    if (!is_total_known || per_second <= 0) {
      return std::nullopt;
    }
    const double seconds = static_cast<double>(queued + running) / per_second;
    constexpr double most = 1e9;  // 30 years
    return std::chrono::duration_cast<duration>(
        std::chrono::duration<double>(seconds < most ? seconds : most));
  }

  std::uint64_t queued = 0;  ///< not started; 0 while the number of items is not known
  std::uint64_t running = 0;  ///< started and not ended, waiting for a retry or a permit included
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t retried = 0;  ///< attempts beyond the first, of all items
  std::uint64_t window = 0;  ///< how many may run at once, now
  bool is_total_known = true;
  duration elapsed{0};  ///< since dispatch, on the workers' clock; until the end, once it is done
};

}  // namespace harrier
