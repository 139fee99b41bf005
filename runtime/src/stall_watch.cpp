// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/stall_watch.hpp>

#include <harrier/detail/parker.hpp>
#include <harrier/detail/runtime_core.hpp>

#include <pthread.h>

#include <algorithm>

namespace harrier::detail {

stall_watch::stall_watch(runtime_core& core, duration longest)
    : core_(core), longest_(longest), slots_(core.workers()), thread_([this] { serve(); }) {}

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
    core_.report_stall(at, now - before.since);
  }
}

}  // namespace harrier::detail
