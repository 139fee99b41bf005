// SPDX-License-Identifier: Apache-2.0
// The automatic window of a batch: one tuner, which workers ask in passing.
//
// Threads     begin() before the batch is handed to anybody; the rest by any worker. What a worker has read of
//             limit() it applies to its own lane, when it comes by.
// Cost        a look that is not due: one relaxed load. Where nothing suspends nobody looks.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/detail/memory_gauge.hpp>
#include <harrier/detail/window_tuner.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

namespace harrier::detail {

class auto_window {
 public:
  auto_window() noexcept {}

  void begin(std::int64_t start, std::int64_t least, time_point now) noexcept {
    tuner_.begin(start, least, now);
    // relaxed: before the batch is handed to anybody
    limit_.store(start, std::memory_order_relaxed);
    next_look_.store((now + shortest_look).time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// Of one slot.
  std::int64_t limit() const noexcept {
    return limit_.load(
        std::memory_order_relaxed);  // a number that means what it says, whenever it is seen
  }
  void note_full() noexcept {
    if (!was_full_.load(std::memory_order_relaxed)) {  // hint, as what follows
      was_full_.store(true, std::memory_order_relaxed);
    }
  }
  bool is_due(time_point now) const noexcept {
    // hint: whoever looks has the mutex
    return now.time_since_epoch().count() >= next_look_.load(std::memory_order_relaxed);
  }

  /// Once is_due(). `sample()` says where the batch stands, `memory_used(now)` how short memory is.
  template <class Sample, class MemoryUsed>
  void look(Sample sample, MemoryUsed memory_used) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) {
      return;  // somebody else looks
    }
    const window_sample at = sample();
    next_look_.store((at.now + shortest_look).time_since_epoch().count(),
                     std::memory_order_relaxed);  // hint, see is_due()
    if (at.now >= next_memory_) {
      next_memory_ = at.now + memory_gauge::period;
      tuner_.note_memory(at, memory_used(at.now));
    }
    tuner_.look(at, was_full_.exchange(false, std::memory_order_relaxed));  // hint
    limit_.store(tuner_.limit(), std::memory_order_relaxed);  // see limit()
  }

  /// Before a worker sleeps because the window is full: a look, and window_tuner::grow_if_stalled().
  template <class Sample>
  std::optional<time_point> grow_if_stalled(Sample sample, bool is_idle) noexcept {
    const std::scoped_lock lock(mutex_);
    const window_sample at = sample();
    tuner_.look(at, true);
    const std::optional<time_point> ask_again = tuner_.grow_if_stalled(at, is_idle);
    limit_.store(tuner_.limit(), std::memory_order_relaxed);  // see limit()
    return ask_again;
  }

 private:
  static constexpr duration shortest_look = std::chrono::milliseconds(10);

  std::mutex mutex_;
  window_tuner tuner_;  // guarded by mutex_
  time_point next_memory_{};  // guarded by mutex_
  // shared, written some hundred times a second
  std::atomic<std::int64_t> limit_{0};
  std::atomic<duration::rep> next_look_{0};
  std::atomic<bool> was_full_{false};
};

}  // namespace harrier::detail
