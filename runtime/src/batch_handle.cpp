// SPDX-License-Identifier: Apache-2.0
// What the handle of a batch asks of it: to be told of the end, to wait, to cancel, counts and errors.
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/runtime_core.hpp>

#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

namespace harrier::detail {

void batch_core::wait(const char* call) {
  wait_until(std::chrono::steady_clock::time_point::max(), call);
}

bool batch_core::wait_until(std::chrono::steady_clock::time_point deadline, const char* call) {
  blocking_wait::refuse_in_loop(call);
  class watcher final : public batch_watcher {
   public:
    watcher() noexcept
        : batch_watcher{
              [](batch_watcher& self) noexcept { static_cast<watcher&>(self).done.finish(); }} {}
    blocking_wait done;
  } waiting;
  if (!watch(waiting)) {
    return true;
  }
  if (!waiting.done.wait_until(deadline)) {
    if (unwatch(waiting)) {
      return false;
    }
    waiting.done.wait();  // it is being told just now
  }
  return true;
}

void batch_core::cancel() noexcept {
  if (is_done() || cancelled_.exchange(true, std::memory_order_seq_cst)) {
    return;
  }
  add_reference();  // the last subtraction may end the batch under us
  std::uint64_t dropped = 0;
  for (std::size_t s = 0; s < slot_count_; ++s) {
    const position_range left = lanes_[s].range.take_all();
    if (!left.empty()) {
      const std::uint64_t first = item_position(left.first);
      const std::uint64_t last = item_position(left.last);
      drop_positions(first, last);
      dropped += last - first;
    }
  }
  core_->cancel_items(*this);
  core_->wake_all();  // what a slot had claimed but not started is its own to drop
  subtract(dropped);
  drop_reference();
}

batch_counts batch_core::counts() const noexcept {
  batch_counts sum;
  sum.total = total_;
  sum.skipped = total_ - positions_;
  // counters only; once the batch is done they are exact, because its end was published after them
  for (std::size_t s = 0; s < slot_count_; ++s) {
    const batch_lane& lane = lanes_[s];
    sum.started += lane.started.load(std::memory_order_relaxed);
    sum.completed += lane.completed.load(std::memory_order_relaxed);
    sum.failed += lane.failed.load(std::memory_order_relaxed);
    sum.cancelled += lane.cancelled.load(std::memory_order_relaxed);
  }
  sum.cancelled += dropped_count_.load(std::memory_order_relaxed);
  return sum;
}

std::vector<item_error> batch_core::errors() const {
  std::vector<item_error> sorted;
  {
    const std::scoped_lock guard(mutex_);
    sorted = errors_;
    errors_seen_ = true;
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const item_error& a, const item_error& b) { return a.index < b.index; });
  return sorted;
}

std::optional<item_error> batch_core::first_error() const {
  const std::scoped_lock guard(mutex_);
  errors_seen_ = true;
  if (errors_.empty()) {
    return std::nullopt;
  }
  return errors_.front();
}

void batch_core::rethrow_first_error() const {
  std::exception_ptr error;
  {
    const std::scoped_lock guard(mutex_);
    errors_seen_ = true;
    if (!errors_.empty()) {
      error = errors_.front().error;
    } else if (lost_error_) {
      error = lost_error_;
    } else if (!dropped_.empty()) {
      error = std::make_exception_ptr(cancelled());
    }
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

bool batch_core::has_result(std::uint64_t index) const noexcept {
  const std::scoped_lock guard(mutex_);
  for (const item_error& each : errors_) {
    if (each.index == index) {
      return false;
    }
  }
  for (const auto& [first, last] : dropped_) {
    if (identity_) {
      if (index >= first && index < last) {
        return false;
      }
    } else {
      for (std::uint64_t position = first; position < last; ++position) {
        if (index_of(position) == index) {
          return false;
        }
      }
    }
  }
  return index < total_;
}

}  // namespace harrier::detail
