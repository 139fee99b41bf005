// SPDX-License-Identifier: Apache-2.0
// What a slot looks at before its thread sleeps, and how it sleeps.
#include <harrier/detail/allocator.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace harrier::detail {

/// Whether, as far as can be seen from here, no item could end by itself: nobody runs, no timer is set, and
/// no call that blocks is under way.
bool worker_slot::knows_of_no_end() noexcept {
  if (!runner_->loop().timers().empty() || core_.blocking_pool().threads_started() != 0) {
    return false;
  }
  for (std::size_t s = 0; s < core_.slots(); ++s) {
    if (s != index_ && !core_.slot(s).is_asleep_without_timers()) {
      return false;
    }
  }
  return true;
}

/// Nothing is ready and the windows are full: items may be waiting for items that have not started.
bool worker_slot::widen_windows() noexcept {
  bool widened = false;
  ask_again_ = time_point::max();
  const bool is_idle = knows_of_no_end();
  for (batch_core* batch : batches_) {
    widened |= batch->widen(batch->lane(index_), is_idle, ask_again_);
  }
  return widened;
}

/// What the thread must not sleep beyond.
time_point worker_slot::next_deadline() noexcept {
  return std::min(runner_->loop().timers().next_deadline(), ask_again_);
}

bool worker_slot::sees_work() noexcept {
  if (core_.is_ending() || core_.is_pressed() || core_.has_injected() ||
      batches_version_ != core_.batches_version()) {
    return true;
  }
  if (!loop()->inbox().empty() || addressed_.size() != 0) {
    return true;
  }
  for (batch_core* batch : batches_) {
    const batch_lane& mine = batch->lane(index_);
    if (mine.partial_first != mine.partial_last && (batch->may_start(mine) || batch->is_closed())) {
      return true;
    }
  }
  for (std::size_t s = 0; s < core_.slots(); ++s) {
    if (core_.slot(s).has_stealable()) {
      return true;
    }
    for (batch_core* batch : batches_) {
      const batch_lane& mine = batch->lane(index_);
      if (!batch->lane(s).range.empty() && (s == index_ || !batch->is_strict()) &&
          batch->may_start(mine)) {
        return true;
      }
    }
  }
  return false;
}

/// Sleeps, at most until then. True: the thread is to leave, and the slot stays announced as one that
/// sleeps.
bool worker_slot::park(time_point at_most) {
  event_loop& loop = *loop_.load(std::memory_order_relaxed);  // this thread wrote it
  core_.note_idle();
  if (batches_version_ != core_.batches_version()) {
    refresh_batches();  // lets go of batches that are done
    return false;
  }
  if (const std::uint64_t trims = core_.trims(); trims != trims_seen_) {
    trims_seen_ = trims;
    loop.execution().frames.trim();
    trim_allocator();
  }
  for (batch_core* batch : batches_) {
    if (batch->return_window(batch->lane(index_))) {
      core_.wake_all();
    }
  }
  // relaxed: a hint to who asks whether anything will end
  left_timers_.store(!loop.timers().empty(), std::memory_order_relaxed);
  const auto look = [this] {
    bump(counts_.parks);  // somebody may wake us from here on
    if (!sees_work()) {
      return false;
    }
    patience_.found_at(1);  // a moment more would have found it
    return true;
  };
  const auto wait = [&](std::uint32_t ticket) {
    if (core_.provider() != nullptr) {
      return false;  // the thread leaves; the slot is woken for the next one
    }
    loop.time().wait(loop.parker(), ticket, std::min(next_deadline(), at_most), false);
    return true;
  };
  return !core_.idle().sleep(sleeper_, loop.parker(), look, wait);
}

/// Sleeps, but not for long: what the others wait for may end elsewhere, which wakes nobody here. The
/// longer it has taken, the longer it may take to be noticed.
void worker_slot::nap() {
  constexpr std::chrono::microseconds shortest{20};
  constexpr std::uint32_t most_doublings = 9;
  park(runner_->loop().now() + shortest * (1u << naps_));
  naps_ = std::min(naps_ + 1, most_doublings);
}

}  // namespace harrier::detail
