// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/stall_watch.hpp>

#include <harrier/detail/parker.hpp>
#include <harrier/detail/runtime_core.hpp>

#include <pthread.h>

#include <algorithm>
#include <new>

namespace harrier::detail {

stall_watch::stall_watch(runtime_core& core, duration longest)
    : core_(core), longest_(longest), slots_(core.slots()), thread_([this] { serve(); }) {}

stall_watch::~stall_watch() {
  ends_.store(1, std::memory_order_release);  // [stall_watch:ends]
  futex_wake(ends_, 1);
  thread_.join();
}

void stall_watch::serve() noexcept {
  ::pthread_setname_np(::pthread_self(), "harrier/doctor");
  const duration pause = std::max<duration>(longest_ / 4, std::chrono::milliseconds(1));
  while (ends_.load(std::memory_order_acquire) == 0) {  // [stall_watch:ends]
    const steady_time now = std::chrono::steady_clock::now();
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      look_at(slot, slots_[slot], now);
    }
    if (core_.options().spare_workers != 0) {
      told_no_rescue_ = all_are_stalled() && core_.rescue(culprits(), told_no_rescue_);
    }
    futex_wait(ends_, 0, deadline_after(now, pause));
  }
}

void stall_watch::look_at(std::size_t slot, seen& before, steady_time now) noexcept {
  worker_slot& at = core_.slot(slot);
  const std::uint32_t steps = at.steps_begun();
  if (steps != before.steps || before.since == steady_time{} || at.is_asleep()) {
    before.steps = steps;
    before.since = now;
    before.is_told = false;
  } else if (!before.is_told && now - before.since >= longest_) {
    before.is_told = true;
    before.task = core_.report_stall(at, now - before.since);
  }
}

/// Those that have a thread: all others will have one when there is work for it.
bool stall_watch::all_are_stalled() const noexcept {
  bool some = false;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (core_.has_thread(slot)) {
      if (!slots_[slot].is_told) {
        return false;
      }
      some = true;
    }
  }
  return some;
}

std::string stall_watch::culprits() const noexcept {
  std::string text;
  try {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      if (core_.has_thread(slot)) {
        const std::string& task = slots_[slot].task;
        text += (text.empty() ? "worker " : ", worker ") + std::to_string(slot) + ": " +
                (task.empty() ? "no name known" : task);
      }
    }
  } catch (const std::bad_alloc&) {  // those that fit
  }
  return text;
}

}  // namespace harrier::detail
