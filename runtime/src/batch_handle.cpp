// SPDX-License-Identifier: Apache-2.0
// What the handle of a batch asks of it: to be told of the end, to wait, to cancel, counts and errors.
#include <harrier/batch_control.hpp>
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/item_guard.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/wait_facts.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace harrier::detail {

namespace {

/// A cancelled item has not failed.
bool has_failed(const item_error& of) noexcept { return !is_cancel(of.error); }

}  // namespace

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

std::uint64_t batch_core::drop_lanes() noexcept {
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
  return dropped;
}

bool batch_core::close(std::uint32_t bit, std::exception_ptr reason) noexcept {
  {
    const std::scoped_lock guard(mutex_);
    if (is_done() || (halt_bits() & (bit | cancelled_bit)) != 0) {
      return false;
    }
    if (reason && !reason_) {
      reason_ = std::move(reason);
    }
    is_cut_short_ |= is_open_ended() && bit != exhausted_bit && (halt_bits() & exhausted_bit) == 0;
    halt_.fetch_or(bit,
                   std::memory_order_seq_cst);  // [batch:halt] what is claimed later is dropped
  }
  add_reference();  // the last subtraction may end the batch under us
  const std::uint64_t dropped = drop_lanes();
  if (bit != exhausted_bit) {
    cancel_input();
  }
  if (bit == cancelled_bit) {
    core_->cancel_items(*this);
  }
  core_->wake_all();  // what a slot had claimed but not started is its own to drop
  subtract(dropped);
  drop_reference();
  return true;
}

void batch_core::lose_results(std::exception_ptr why) noexcept {
  const std::scoped_lock guard(mutex_);
  lost_error_ = std::move(why);
}

void batch_core::pause() noexcept {
  halt_.fetch_or(paused_bit, std::memory_order_seq_cst);  // [batch:halt]
}

void batch_core::resume_items() noexcept {
  const std::scoped_lock guard(mutex_);  // until the batch is done, its runtime is there
  release_hold(paused_bit);
}

void batch_core::release_hold(std::uint32_t bit) noexcept {
  // seq_cst: [batch:halt] whoever goes to sleep sees it in may_start(), or is seen asleep
  if ((halt_.fetch_and(~bit, std::memory_order_seq_cst) & bit) != 0 && !is_done()) {
    core_->wake_all();
  }
}

void batch_core::accompany(join_handle<void> companion) {
  try {
    const std::scoped_lock guard(mutex_);
    if (!is_done()) {
      companions_.reserve(companions_.size() + 1);
      companions_.push_back(std::move(companion));
      return;
    }
  } catch (const std::bad_alloc&) {  // it does not stay without its batch
    companion.cancel();
    throw;
  }
  companion.cancel();
}

batch_progress batch_core::progress() const noexcept {
  const batch_counts now = counts();
  batch_progress progress;
  progress.completed = now.completed;
  progress.failed = now.failed;
  progress.cancelled = now.cancelled;
  progress.retried = guard_ ? guard_->retried() : 0;
  const std::uint64_t ended = now.completed + now.failed + now.cancelled;
  const std::uint64_t started = std::max(now.started, ended);
  progress.running = started - ended;
  if (!is_open_ended()) {
    progress.queued = now.total > started + now.skipped ? now.total - started - now.skipped : 0;
  }
  progress.is_total_known = !is_open_ended() || is_done();
  progress.window = window();
  progress.elapsed = (is_done() ? ended_ : clock_->now()) - began_;
  return progress;
}

void batch_core::tell(wait_facts& facts) const {
  facts.object = this;
  facts.on.push_back(this);
  const batch_progress now = progress();
  const std::uint64_t ended = now.ended();
  facts.more = std::to_string(ended) +
               (now.is_total_known ? " of " + std::to_string(total()) : "") +
               " items have ended, " + std::to_string(now.running) + " run or wait";
  if (is_paused()) {
    facts.more += ", it is paused";
  } else if (now.queued != 0 && now.running >= now.window) {
    facts.more += ", as many as its window allows";
  }
}

batch_counts batch_core::counts() const noexcept {
  batch_counts sum;
  sum.total = total();
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
    // errors_ has the items that were cancelled as well, for get() to throw; they have not failed
    std::copy_if(errors_.begin(), errors_.end(), std::back_inserter(sorted), has_failed);
    errors_seen_ = true;
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const item_error& a, const item_error& b) { return a.index < b.index; });
  return sorted;
}

std::optional<item_error> batch_core::first_error() const {
  const std::scoped_lock guard(mutex_);
  errors_seen_ = true;
  const auto first = std::find_if(errors_.begin(), errors_.end(), has_failed);
  if (first == errors_.end()) {
    return std::nullopt;
  }
  return *first;
}

void batch_core::rethrow_first_error() const {
  std::exception_ptr error;
  {
    const std::scoped_lock guard(mutex_);
    errors_seen_ = true;
    const bool has_lost_items = !dropped_.empty() || is_cut_short_ || is_cancelled();
    if (reason_) {
      error = reason_;
    } else if (lost_error_) {
      error = lost_error_;
    } else if (!errors_.empty() &&
               (!options_.errors.tolerates() || has_lost_items || exceeds_tolerance())) {
      error = errors_.front().error;
    } else if (has_lost_items && (!dropped_.empty() || is_cut_short_)) {
      error = std::make_exception_ptr(cancelled());
    }
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

void batch_core::rethrow_at_end() const {
  if (!options_.errors.cancels() && !is_cancelled()) {
    const std::scoped_lock guard(mutex_);
    if (reason_) {
      std::rethrow_exception(reason_);
    }
    return;
  }
  {
    const std::scoped_lock guard(mutex_);
    if (!reason_ && !lost_error_ && errors_.empty() && !is_cancelled()) {
      return;
    }
  }
  rethrow_first_error();
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
  return index < total();
}

}  // namespace harrier::detail

namespace harrier {

bool batch_control::wait_for(duration limit) const {
  return checked().wait_until(deadline_after(std::chrono::steady_clock::now(), limit),
                              "batch::wait_for");
}

void batch_control::wait_and_rethrow(const char* call) const {
  checked().wait(call);
  rethrowing_outside([this] { checked().rethrow_first_error(); });
}

}  // namespace harrier
