// SPDX-License-Identifier: Apache-2.0
// How a batch ends: how many of its items are unfinished, who is told when none is, and whether
// anybody can still read what it leaves.
//
// Threads     any.
// Invariant 1 `remaining` reaches 0 once, and whoever takes it there calls done().
// Invariant 2 a watcher that was taken in is told once, unless it was taken back first.
// Invariant 3 once the batch is done and the handle gone, one of the two sides is told that it came
//             last: by done() or by abandon().
// Protocol    end:    (e1) subtract, acquire and release (e2) under the mutex: done, take the watchers.
//             watch:  under the mutex: refused once done, otherwise linked.
//             A reader without the mutex sees `done`, and through it all that the items stored.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

namespace harrier::detail {

/// Told once when a batch is done, on the thread that finished it.
struct batch_watcher {
  void (*notify)(batch_watcher& self) noexcept;
  batch_watcher* next = nullptr;
};

class batch_end {
 public:
  explicit batch_end(std::uint64_t items) noexcept : remaining_(items) {}
  batch_end(const batch_end&) = delete;
  batch_end& operator=(const batch_end&) = delete;

  /// Fewer items than was said. Before the batch is handed to anybody.
  void expect(std::uint64_t items) noexcept { remaining_.store(items, std::memory_order_relaxed); }

  /// Likewise one more. relaxed: before the batch can end.
  void expect_one_more() noexcept { remaining_.fetch_add(1, std::memory_order_relaxed); }

  /// True: those were the last; the caller ends the batch.
  bool subtract(std::uint64_t items) noexcept {
    // acq_rel pairs with itself: the last one sees what every worker stored
    return items != 0 && remaining_.fetch_sub(items, std::memory_order_acq_rel) == items;
  }

  bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }  // [batch:done]

  class outcome {
   public:
    outcome(batch_watcher* told, bool detached) noexcept : watchers(told), is_detached(detached) {}
    batch_watcher* watchers;  ///< to be told, one after the other
    bool is_detached;  ///< nobody can read the results any more
  };
  outcome done() noexcept {
    const std::scoped_lock guard(mutex_);
    done_.store(true, std::memory_order_release);  // [batch:done] pairs with is_done()
    return outcome(std::exchange(watchers_, nullptr), is_detached_);
  }

  /// False: already done.
  bool watch(batch_watcher& watcher) noexcept {
    const std::scoped_lock guard(mutex_);
    if (is_done()) {
      return false;
    }
    watcher.next = watchers_;
    watchers_ = &watcher;
    return true;
  }

  /// False: it is told, or has been.
  bool unwatch(batch_watcher& watcher) noexcept {
    const std::scoped_lock guard(mutex_);
    for (batch_watcher** at = &watchers_; *at != nullptr; at = &(*at)->next) {
      if (*at == &watcher) {
        *at = watcher.next;
        return true;
      }
    }
    return false;
  }

  /// The handle is gone. True: the batch was done.
  bool abandon() noexcept {
    const std::scoped_lock guard(mutex_);
    is_detached_ = true;
    return is_done();
  }

 private:
  alignas(64) std::atomic<std::uint64_t> remaining_;
  std::atomic<bool> done_{false};

  std::mutex mutex_;
  batch_watcher* watchers_ = nullptr;  // guarded by mutex_
  bool is_detached_ = false;  // guarded by mutex_
};

}  // namespace harrier::detail
