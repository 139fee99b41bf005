// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/item_guard.hpp>

#include <algorithm>
#include <chrono>
#include <limits>

namespace harrier::detail {

item_guard::item_guard(const dispatch_options& options)
    : retry_(options.retry),
      timeout_(options.item_timeout),
      next_(std::numeric_limits<duration::rep>::min()) {
  if (options.rate > 0) {
    interval_ = std::max(duration(1), std::chrono::duration_cast<duration>(
                                          std::chrono::duration<double>(1 / options.rate)));
    tolerance_ = interval_ * static_cast<duration::rep>(options.rate_burst - 1);
  }
}

// A token bucket without a bucket: permits are due one interval apart, and one that is due later
// than `tolerance` from now is waited for. What was not used for a while is a burst, no more.
time_point item_guard::reserve(time_point now) noexcept {
  const duration::rep earliest = (now.time_since_epoch()).count();
  duration::rep due = next_.load(std::memory_order_relaxed);  // hint: re-checked by the exchange
  duration::rep mine = 0;
  do {
    mine = std::max(due, earliest);
    // relaxed: the word carries nothing but itself
  } while (!next_.compare_exchange_weak(due, mine + interval_.count(), std::memory_order_relaxed,
                                        std::memory_order_relaxed));
  return time_point(duration(mine) - tolerance_);
}

std::optional<duration> item_guard::next_wait(const batch_item& item,
                                              const std::exception_ptr& error) {
  if (retry_ && retry_->wants_retry(item.attempt, error)) {
    retried_.fetch_add(1, std::memory_order_relaxed);  // counter only
    return retry_->wait_after(item.attempt, item.seed());
  }
  if (item.attempt > 1) {
    const std::scoped_lock guard(mutex_);
    attempts_.emplace_back(item.index, item.attempt);
  }
  return std::nullopt;
}

std::uint32_t item_guard::attempts_of(std::uint64_t index) noexcept {
  const std::scoped_lock guard(mutex_);
  const auto at = std::find_if(attempts_.begin(), attempts_.end(),
                               [&](const auto& each) { return each.first == index; });
  if (at == attempts_.end()) {
    return 1;
  }
  const std::uint32_t count = at->second;
  *at = attempts_.back();
  attempts_.pop_back();
  return count;
}

}  // namespace harrier::detail
