// SPDX-License-Identifier: Apache-2.0
// The window of a batch: what a slot may start, borrow and give back, and how an automatic one is looked after.
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/item_guard.hpp>
#include <harrier/detail/runtime_core.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace harrier::detail {

std::uint64_t batch_core::window() const noexcept {
  return has_automatic_window() ? static_cast<std::uint64_t>(auto_window_.limit()) * slot_count_
                                : options_.window;
}

bool batch_core::borrow_window(batch_lane& at) noexcept {
  // Nobody borrows more than its share, so that one slot does not start everything.
  const std::uint64_t window =
      has_automatic_window() ? automatic_window * slot_count_ : options_.window;
  const std::int64_t share =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(window / slot_count_));
  std::int64_t spare = spare_window_.load(std::memory_order_relaxed);  // hint: re-checked below
  while (spare > 0) {
    const std::int64_t taken = std::min(spare, share);
    // acquire: [batch:spare] the items whose end made room have ended
    if (spare_window_.compare_exchange_weak(spare, spare - taken, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
      add_to(at.window, taken);
      return true;
    }
  }
  return false;
}

bool batch_core::return_window(batch_lane& at) noexcept {
  // relaxed: this slot's thread alone writes `live`, here and below
  const std::int64_t unused =
      at.window.load(std::memory_order_relaxed) - at.live.load(std::memory_order_relaxed);
  if (has_automatic_window() || unused <= 0) {
    return false;
  }
  add_to(at.window, -unused);
  // seq_cst: [batch:spare] whoever goes to sleep sees it in may_start(), or is seen asleep
  spare_window_.fetch_add(unused, std::memory_order_seq_cst);
  return true;
}

void batch_core::give_window(std::int64_t credits) noexcept {
  // seq_cst: [batch:spare] as in return_window()
  spare_window_.fetch_add(credits, std::memory_order_seq_cst);
  const std::scoped_lock guard(mutex_);  // until the batch is done, its runtime is there
  if (!is_done()) {
    core_->wake_all();
  }
}

window_sample batch_core::sample_window() const noexcept {
  window_sample at;
  at.now = clock_->now();
  for (std::size_t s = 0; s < slot_count_; ++s) {
    const batch_lane& lane = lanes_[s];
    // counters only: a sum that is a few items off is as good
    const std::int64_t live = lane.live.load(std::memory_order_relaxed);
    at.in_flight += live;
    at.most_in_flight = std::max(at.most_in_flight, live);
    at.ended += lane.completed.load(std::memory_order_relaxed) +
                lane.failed.load(std::memory_order_relaxed) +
                lane.cancelled.load(std::memory_order_relaxed);
  }
  return at;
}

void batch_core::apply_limit(batch_lane& at) noexcept {
  if (const std::int64_t limit = auto_window_.limit(); limit != at.limit) {
    add_to(at.window, limit - at.limit);  // what it has lent to a reader stays lent
    at.limit = limit;
  }
}

/// What started here and was stolen ends elsewhere, and makes room there. So a slot that has more than its
/// window, because the limit has shrunk, takes that from what is spare, which may be less than nothing; and
/// others with room make up for it.
void batch_core::balance_window(batch_lane& at) noexcept {
  // relaxed: this slot's thread alone writes both
  const std::int64_t room =
      at.window.load(std::memory_order_relaxed) - at.live.load(std::memory_order_relaxed);
  if (const std::int64_t excess = std::max<std::int64_t>(-room, 0); excess != at.excess) {
    const std::int64_t less = std::exchange(at.excess, excess) - excess;
    // seq_cst: [batch:spare] as in return_window()
    if (spare_window_.fetch_add(less, std::memory_order_seq_cst) + less > 0 && less > 0) {
      core_->wake_all();
    }
  }
  // relaxed: a number; whoever has it takes nothing from it
  std::int64_t spare = spare_window_.load(std::memory_order_relaxed);
  while (spare < 0 && room > 0) {
    const std::int64_t given = std::min(room, -spare);
    if (spare_window_.compare_exchange_weak(spare, spare + given, std::memory_order_relaxed,
                                            std::memory_order_relaxed)) {
      add_to(at.window, -given);
      return;
    }
  }
}

HARRIER_NOINLINE void batch_core::tune_window(batch_lane& at) noexcept {
  if (++at.chunks_since_look < chunks_per_look) {
    // relaxed: a hint. What this slot has taken it gives back at once: it may have nothing more to start.
    if (at.excess != 0 || spare_window_.load(std::memory_order_relaxed) < 0) {
      balance_window(at);
    }
    return;
  }
  at.chunks_since_look = 0;
  if (auto_window_.is_due(clock_->now())) {
    auto_window_.look([this] { return sample_window(); },
                      [this](time_point now) { return core_->memory_used(now); });
  }
  apply_limit(at);
  balance_window(at);
}

bool batch_core::widen(batch_lane& at, bool is_idle, time_point& ask_again) noexcept {
  if (!has_automatic_window() || !has_items(at) || is_halted() || !may_widen()) {
    return false;
  }
  if (guard_ && guard_->is_holding_back(clock_->now())) {
    return false;  // it is the rate that is slow: more items would only wait for it
  }
  const auto is_full = [&at] {  // relaxed: this slot's thread writes both
    return at.live.load(std::memory_order_relaxed) >= at.window.load(std::memory_order_relaxed);
  };
  if (!is_full()) {
    return false;
  }
  apply_limit(at);  // somebody else may have widened it
  balance_window(at);
  if (!is_full()) {
    return true;
  }
  const std::optional<time_point> later =
      auto_window_.grow_if_stalled([this] { return sample_window(); }, is_idle);
  if (later) {
    ask_again = std::min(ask_again, *later);
    return false;
  }
  apply_limit(at);
  core_->wake_all();  // the others have got as much
  return true;
}

}  // namespace harrier::detail
