// SPDX-License-Identifier: Apache-2.0
// Which workers could take work, as two counts: those that sleep or have no thread yet are hungry,
// those that look for work in other slots are searching. And how a worker falls asleep.
//
// Threads     any thread asks and counts; a worker's own thread calls sleep().
// Invariant 1 work is never left in a queue while every worker sleeps and nobody is being woken.
// Protocol    sleep:      (p1) say so: sleeping, announced, hungry  (p2) a barrier in every thread
//                         (p3) look at every queue again  (p4) sleep.
//             local push  (a worker's own queues): (s1) publish  (s2) read `hungry`. p2 is the barrier
//                         of both, so that a push pays for none.
//             outside     submit: (o1) publish, sequentially consistent  (o2) read `hungry`, or the
//                         sleeper's mark, sequentially consistent.
//             search:     a waker may leave work to whoever searches: it looks at every queue again
//                         before it sleeps, and if it has found something it wakes the next one.
// Rejected    a fence in every push: 2.3 to 18 ns for each fork, to save a microsecond for each sleep.
#pragma once

#include <harrier/detail/asymmetric_barrier.hpp>
#include <harrier/detail/parker.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace harrier::detail {

/// A worker that may sleep, for those who wake it.
class sleeper_mark {
 public:
  /// Any thread. True: `place`, where the worker sleeps, was woken.
  bool wake(parker& place) noexcept {
    return sleeping_.load(std::memory_order_seq_cst) && place.unpark();  // [idle:mark]
  }

  bool is_set() const noexcept { return sleeping_.load(std::memory_order_relaxed); }  // a hint

 private:
  friend class idle_set;
  std::atomic<bool> sleeping_{false};  // hint to wakers; the parker decides
};

class idle_set {
 public:
  /// Before the first thread: nobody has one.
  explicit idle_set(std::size_t workers) noexcept : hungry_(static_cast<std::int32_t>(workers)) {}

  /// s2, after a push to a worker's own queue.
  bool anyone_hungry_after_push() const noexcept {
    light_barrier();  // [idle:hungry] the push comes before the look
    return hungry_.load(std::memory_order_relaxed) > 0;
  }

  /// The same where stores_are_plain().
  bool anyone_hungry_after_plain_push() const noexcept {
    plain_light_barrier();  // [idle:hungry]
    return hungry_.load(std::memory_order_relaxed) > 0;
  }

  /// o2. False: nobody sleeps, or somebody searches and will look again before it sleeps.
  bool wants_wake() const noexcept {
    // seq_cst: o1 and this against p1 and p3, of which at least one sees the other  [idle:hungry]
    return hungry_.load(std::memory_order_seq_cst) > 0 &&
           // seq_cst: a search that ends after this look is followed by its look at the marks, which
           // sees whoever fell asleep too early to see o1  [idle:searching]
           searching_.load(std::memory_order_seq_cst) <= 0;
  }

  /// A worker that had no thread has one, or one that slept runs.
  void no_longer_hungry() noexcept { hungry_.fetch_sub(1, std::memory_order_relaxed); }

  /// p1 to p4. `sees_work()` looks at every queue. `wait(ticket)` parks; or it gives false if the
  /// thread leaves and the place sleeps on, and so does this: the next thread there calls rises().
  template <class SeesWork, class Wait>
  bool sleep(sleeper_mark& mark, parker& place, SeesWork sees_work, Wait wait) {
    mark.sleeping_.store(true, std::memory_order_seq_cst);  // [idle:mark] pairs with wake()
    const std::uint32_t ticket = place.announce();
    hungry_.fetch_add(1, std::memory_order_seq_cst);  // [idle:hungry]
    heavy_barrier();  // [idle:hungry] a push that did not see us has been published
    if (sees_work()) {
      place.withdraw();
    } else if (!wait(ticket)) {
      return false;
    }
    rises(mark);
    return true;
  }
  void rises(sleeper_mark& mark) noexcept {
    mark.sleeping_.store(false, std::memory_order_relaxed);  // hint
    no_longer_hungry();
  }

  /// At most half of `workers` search at a time, give or take a race of two.
  bool may_search(std::size_t workers) noexcept {
    if (2 * (searching_.load(std::memory_order_relaxed) + 1) >
        static_cast<std::int32_t>(workers) + 1) {
      return false;
    }
    searching_.fetch_add(1, std::memory_order_relaxed);  // who misses it wakes one too many
    return true;
  }

  /// True: nobody else searches, so that whoever has found something wakes the next one.
  bool ends_search() noexcept {
    return searching_.fetch_sub(1, std::memory_order_seq_cst) == 1;  // [idle:searching]
  }

 private:
  alignas(64) std::atomic<std::int32_t> hungry_;  // sleeping workers and threads not started
  std::atomic<std::int32_t> searching_{0};
};

}  // namespace harrier::detail
