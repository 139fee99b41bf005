// SPDX-License-Identifier: Apache-2.0
// What goes along with a batch while it runs: the watch on its deadline, and reports of its progress.
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/sleep.hpp>

#include <exception>
#include <utility>

namespace harrier::detail {

namespace {

/// A batch that is looked at by a task of the runtime.
class held_batch {
 public:
  explicit held_batch(batch_core& batch) noexcept : batch_(&batch) { batch.add_reference(); }
  held_batch(held_batch&& other) noexcept : batch_(std::exchange(other.batch_, nullptr)) {}
  held_batch& operator=(held_batch&&) = delete;
  ~held_batch() {
    if (batch_ != nullptr) {
      batch_->drop_reference();
    }
  }
  batch_core& operator*() const noexcept { return *batch_; }

 private:
  batch_core* batch_;
};

task<> watch_deadline(held_batch batch, time_point deadline) {
  co_await sleep_until(deadline);
  (*batch).cancel_because(std::make_exception_ptr(batch_deadline_exceeded()));
}

task<> report_progress(held_batch batch, duration period) {
  for (time_point next = this_loop().now();;) {
    next = deadline_after(next, period);
    co_await sleep_until(next);
    (*batch).options().progress_callback((*batch).progress());
  }
}

/// Time that is made for tests stands still: what watches a batch must not come too late for it.
class time_stands {
 public:
  explicit time_stands(clock& time) noexcept : time_(time) { time_.attach(); }
  ~time_stands() { time_.detach(); }
  time_stands(const time_stands&) = delete;
  time_stands& operator=(const time_stands&) = delete;

 private:
  clock& time_;
};

void accompany(runtime_core& core, batch_core& batch, task<> companion) {
  task_record* record =
      core.spawn(task_access::promise(companion), spawn_request({}, priority::high), true);
  task_access::release(companion);  // the record owns the frame
  batch.accompany(join_handle<void>(*record));
}

}  // namespace

void runtime_core::hand_over(batch_core& batch) {
  const dispatch_options& options = batch.options();
  const time_stands still(*clock_);
  try {
    dispatch(batch);
  } catch (...) {  // nothing has started: the runtime's reference goes, and the handle's
    batch.drop_reference();
    batch.drop_reference();
    throw;
  }
  try {
    batch.start_input();
    if (options.deadline > duration::zero()) {
      accompany(*this, batch,
                watch_deadline(held_batch(batch), deadline_after(batch.began(), options.deadline)));
    }
    if (options.progress_callback) {
      accompany(*this, batch, report_progress(held_batch(batch), options.progress_period));
    }
  } catch (...) {  // the batch has begun: it ends with what went wrong
    batch.cancel_because(std::current_exception());
  }
}

}  // namespace harrier::detail
