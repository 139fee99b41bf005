// SPDX-License-Identifier: Apache-2.0
// How a task ends: who holds it, who is told, and who frees it.
//
// Threads     any.
// Invariant 1 the last reference goes once, and whoever had it frees.
// Invariant 2 a joiner that was taken in is told once, unless it was taken back first.
// Invariant 3 whoever has seen is_done(), was refused by join() or was told, is not followed by the task:
//             the last of the holders frees, there and then.
// Protocol    end: (t1) take the joiners; from here join() refuses (t2) the task's own reference goes,
//             which makes it done (t3) tell the joiners. Who comes between t1 and t2 waits for t2.
#pragma once

#include <harrier/detail/spin_wait.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace harrier::detail {

class task_record;

/// Somebody who waits for a task to end. Called once, on the thread that ended it. It holds a reference
/// until then.
struct completion {
  explicit completion(void (*told)(completion& self, task_record& ended) noexcept) noexcept
      : notify(told) {}
  completion(const completion&) = delete;
  completion& operator=(const completion&) = delete;

  void (*notify)(completion& self, task_record& ended) noexcept;
  completion* next = nullptr;  ///< who came before; guarded by the list
};

/// The reference of the task itself, and those of others.
class task_references {
 public:
  explicit task_references(std::uint32_t holders) noexcept : count_(tasks_own | holders) {}

  /// Whether the task has let go.
  bool is_done() const noexcept {
    // acquire: pairs with the release in release(), so that the result is visible  [record:done]
    return (count_.load(std::memory_order_acquire) & tasks_own) == 0;
  }
  /// Whether nobody but the task holds it.
  bool is_unheld() const noexcept {
    return count_.load(std::memory_order_acquire) == tasks_own;  // [record:references]
  }

  void add() noexcept {
    // relaxed, counter only: whoever adds one already holds one
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  /// True: it was the last.
  bool drop() noexcept {
    // The only holder needs no read-modify-write: nobody is left who could add one.
    // acq_rel: what each holder did happens before the last one frees  [record:references]
    return count_.load(std::memory_order_acquire) == 1 ||
           count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  /// The same for the task's own.
  bool release() noexcept {
    // acq_rel: publishes the result  [record:done]; and as in drop()  [record:references]
    return count_.fetch_sub(tasks_own, std::memory_order_acq_rel) == tasks_own;
  }

 private:
  static constexpr std::uint32_t tasks_own = std::uint32_t{1} << 31;

  std::atomic<std::uint32_t> count_;
};

/// Those who wait for the end of one task.
class joiner_list {
 public:
  joiner_list() noexcept {}

  /// False: the task, whose references are `of`, is done.
  bool join(completion& joiner, const task_references& of) noexcept {
    std::uintptr_t now =
        latest_.load(std::memory_order_relaxed);  // hint: re-checked, or done below
    for (unsigned spins = 0; now != taken; ++spins) {
      if ((now & locked) == 0) {
        joiner.next = reinterpret_cast<completion*>(now);
        // release: the joiner's fields are visible to take()  [record:joiners]
        if (latest_.compare_exchange_weak(now, reinterpret_cast<std::uintptr_t>(&joiner),
                                          std::memory_order_release, std::memory_order_relaxed)) {
          return true;
        }
      } else {
        spin_wait(spins);
        now = latest_.load(std::memory_order_relaxed);  // likewise
      }
    }
    for (unsigned spins = 0; !of.is_done(); ++spins) {
      spin_wait(spins);
    }
    return false;
  }

  /// Takes a joiner back. False: the task has ended and tells it, or has told it.
  bool unjoin(completion& joiner) noexcept {
    const std::uintptr_t latest = lock();
    if (latest == taken) {
      return false;
    }
    auto* first = reinterpret_cast<completion*>(latest);
    completion** link = &first;
    while (*link != nullptr && *link != &joiner) {
      link = &(*link)->next;
    }
    if (*link != nullptr) {  // else the task was destroyed where it waited, and has forgotten us
      *link = joiner.next;
    }
    // release: unlocks  [record:joiners]
    latest_.store(reinterpret_cast<std::uintptr_t>(first), std::memory_order_release);
    return true;
  }

  /// Everybody, the first to come first. From here on join() refuses.
  completion* take() noexcept {
    std::uintptr_t now = latest_.load(std::memory_order_relaxed);  // hint: re-checked
    // acquire: pairs with the release in join() and unjoin()  [record:joiners]
    for (unsigned spins = 0;; ++spins) {
      if ((now & locked) == 0) {
        if (latest_.compare_exchange_weak(now, taken, std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
          break;
        }
      } else {
        spin_wait(spins);
        now = latest_.load(std::memory_order_relaxed);  // hint: re-checked
      }
    }
    completion* first = nullptr;
    for (auto* joiner = reinterpret_cast<completion*>(now); joiner != nullptr;) {
      completion* const earlier = std::exchange(joiner->next, first);
      first = std::exchange(joiner, earlier);
    }
    return first;
  }

  /// The joiners are about to be destroyed as well, and are told nothing.
  void forget() noexcept {
    latest_.store(0, std::memory_order_relaxed);  // relaxed: nobody else is there any more
  }

 private:
  static constexpr std::uintptr_t taken = 1;
  static constexpr std::uintptr_t locked = 2;

  /// `taken`, or the latest joiner with the lock held.
  std::uintptr_t lock() noexcept {
    std::uintptr_t now = latest_.load(std::memory_order_relaxed);  // hint: re-checked
    for (unsigned spins = 0; now != taken; ++spins) {
      // acquire: whoever joined or unlocked has written the links  [record:joiners]
      if ((now & locked) == 0 &&
          latest_.compare_exchange_weak(now, now | locked, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
        break;
      }
      spin_wait(spins);
      now = latest_.load(std::memory_order_relaxed);  // hint: re-checked
    }
    return now;
  }

  /// The latest joiner, or 0; `locked` with it while one is taken out of the middle; or `taken`.
  std::atomic<std::uintptr_t> latest_{0};
};

}  // namespace harrier::detail
