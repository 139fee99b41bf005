// SPDX-License-Identifier: Apache-2.0
// A scope that cancels the task it is in for a reason of its own: a timeout, a group of which a child
// failed. The one place that knows how (rule T8 of docs/asyncio.md):
//   enter    how many cancels were outstanding already
//   fire     one more, by the scope
//   leave    takes that one back. If no more are left than at entry, nobody else wants the task to
//            stop, and the scope may turn the cancel into what it means; else it passes it on.
// A cancel of the scope's that was not delivered goes with it. It shares the due bit with others, so
// it is only taken back where the bit is known to be the scope's: nothing was due before it and nobody
// has asked since, or nobody but the scope has asked since the entry.
#pragma once

#include <harrier/detail/task_record.hpp>

#include <algorithm>
#include <cstdint>

namespace harrier::detail {

/// Threads   fire() on any, once; its end happens before leave(). The rest: the task's own.
class private_cancel {
 public:
  private_cancel() noexcept = default;
  private_cancel(const private_cancel&) = delete;
  private_cancel& operator=(const private_cancel&) = delete;

  void enter(task_record& task) noexcept {
    task_ = &task;
    const std::uint32_t now =
        task.state.load(std::memory_order_relaxed);  // hint: others may cancel
    at_entry_ = now / task_record::one_request;
    floor_ = (now & task_record::due) != 0 ? 0 : at_entry_;
  }

  task_record& task() const noexcept { return *task_; }
  bool has_fired() const noexcept { return fired_; }

  void fire() noexcept {
    const std::uint32_t before = task_->request_cancel();
    fired_ = true;
    if ((before & task_record::due) == 0) {
      own_request_ = before / task_record::one_request + 1;
    }
  }

  /// True: it has fired, and its was the only cancel since the entry that is outstanding.
  bool leave() noexcept {
    if (!fired_) {
      return false;
    }
    if (own_request_ != 0 && task_->requests() == own_request_) {
      floor_ = std::max(floor_, own_request_ - 1);
    }
    return task_->uncancel(floor_) <= at_entry_;
  }

  /// Whether somebody besides the scope has asked since the entry, or before it without being heard yet.
  /// Before leave().
  bool is_cancelled_from_outside() const noexcept {
    return task_->requests() > heard_at_entry() + (fired_ ? 1u : 0u);
  }

  /// A state of the task's from which on somebody, the scope included, has asked: the same for whoever
  /// looks often. Where requests are no longer counted there is none.
  std::uint32_t asked_from() const noexcept {
    const std::uint32_t heard = heard_at_entry();
    return heard < task_record::most_requests ? (heard + 1) * task_record::one_request
                                              : ~std::uint32_t{0};
  }

  /// Somebody else wants the task to stop, and that cancel is not going to be thrown: it becomes due
  /// again, for the next suspension. After leave().
  void rearm() noexcept {
    if (task_ != nullptr && task_->requests() > at_entry_) {
      // relaxed: the task's own thread; the bit carries nothing but itself
      task_->state.fetch_or(task_record::due, std::memory_order_relaxed);
    }
  }

 private:
  std::uint32_t heard_at_entry() const noexcept {
    return floor_ < at_entry_ ? at_entry_ - 1 : at_entry_;
  }

  task_record* task_ = nullptr;
  std::uint32_t at_entry_ = 0;
  std::uint32_t floor_ = 0;  ///< so few left: whatever is due was ours
  std::uint32_t own_request_ = 0;  ///< the count with ours, if nothing was due before; else 0
  bool fired_ = false;
};

}  // namespace harrier::detail
