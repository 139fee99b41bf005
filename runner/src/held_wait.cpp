// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/held_wait.hpp>

#include <harrier/event_loop.hpp>

#include <utility>

namespace harrier::detail {

held_wait::held_wait(task_record& record) noexcept {
  std::uint32_t now = record.state.load(std::memory_order_relaxed);  // hint: re-checked
  do {
    if (task_record::phase_of(now) != task_record::waiting) {
      return;
    }
    // acquire: `wait`, `home` and the sites are visible, as to a canceller  [record:state]
  } while (!record.state.compare_exchange_weak(
      now, task_record::with_phase(now, task_record::withdrawing), std::memory_order_acq_rel,
      std::memory_order_relaxed));
  record_ = &record;
}

held_wait::held_wait(held_wait&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}

held_wait::~held_wait() {
  if (record_ == nullptr) {
    return;
  }
  suspension& node = *record_->wait;
  event_loop& home = *record_->home.load(std::memory_order_relaxed);
  std::uint32_t now = record_->state.load(std::memory_order_relaxed);  // hint: re-checked
  std::uint32_t changed = 0;
  bool woken = false;
  bool cancelled = false;
  do {
    woken = (now & task_record::woken) != 0;
    cancelled = !woken && (now & task_record::due) != 0;
    changed = now & ~task_record::woken;
    if (woken) {
      changed = task_record::with_phase(changed, task_record::active);
    } else if (cancelled) {
      changed = task_record::with_phase(changed, task_record::cancelling) | task_record::posted;
    } else {
      changed = task_record::with_phase(changed, task_record::waiting);
    }
    // acq_rel: [record:state]
  } while (!record_->state.compare_exchange_weak(now, changed, std::memory_order_acq_rel,
                                                 std::memory_order_relaxed));
  if (woken) {
    home.enqueue(node);
  } else if (cancelled && (now & task_record::posted) == 0) {
    record_->add_reference();
    if (!home.post_node(*record_)) {
      fatal("a cancel was posted to a loop that closed while its task was waiting");
    }
  }
}

}  // namespace harrier::detail
