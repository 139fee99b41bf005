// SPDX-License-Identifier: Apache-2.0
// What stands between a batch and its items if they are retried, timed or slowed down: one for each
// batch, made only then.
//
// Threads     every worker, side by side.
#pragma once

#include <harrier/batch_item.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/dispatch_options.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace harrier::detail {

class HARRIER_EXPORT item_guard {
 public:
  explicit item_guard(const dispatch_options& options);

  bool has_rate() const noexcept { return interval_ > duration::zero(); }
  /// When the next attempt may begin. Each call takes one permit.
  time_point reserve(time_point now) noexcept;

  /// Whether an attempt waits for its permit.
  bool is_holding_back(time_point now) const noexcept {
    // hint: the last permit that was taken is not due yet
    return has_rate() && next_.load(std::memory_order_relaxed) >
                             (now + tolerance_ + interval_).time_since_epoch().count();
  }

  bool has_timeout() const noexcept { return timeout_ > duration::zero(); }
  duration timeout() const noexcept { return timeout_; }
  bool has_retry() const noexcept { return retry_.has_value(); }

  /// The wait before the next attempt of an item that has failed; nothing: there is none.
  std::optional<duration> next_wait(const batch_item& item, const std::exception_ptr& error);
  /// Once for each item, when it has failed for good.
  std::uint32_t attempts_of(std::uint64_t index) noexcept;
  std::uint64_t retried() const noexcept { return retried_.load(std::memory_order_relaxed); }

 private:
  // constant after construction
  const std::optional<retry_policy> retry_;
  const duration timeout_;
  duration interval_{0};  // between two permits
  duration tolerance_{0};  // how far ahead of the rate a burst may be

  std::atomic<duration::rep> next_;  // when the next permit is due; on its own
  std::atomic<std::uint64_t> retried_{0};  // counter only
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>>
      attempts_;  // guarded by mutex_; index, count
};

}  // namespace harrier::detail
