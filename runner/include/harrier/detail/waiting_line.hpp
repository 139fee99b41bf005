// SPDX-License-Identifier: Apache-2.0
// The waiter protocol that all primitives share: a word, and the queue of those who wait for it.
//
// Protocol    wait      enter; take what is wanted if it is there; else declare the wait, queue the
//                       node, leave. Declared inside, so that no waker is there before it.
//             wake      enter; take the node out as granted, with what it waited for; leave; wake it.
//             withdraw  enter; take the node out if it is still queued; leave. Else it is too late:
//                       the waker is on his way, and the node stays alive until he has been there.
//             resume    a granted node that finds a cancel due gives back what it was granted, by the
//                       way that gave it, and throws only then. So a cancel loses nothing.
// Rejected    a state of its own for each kind of waiter: the races are the same for all.
#pragma once

#include <harrier/detail/sync_word.hpp>
#include <harrier/detail/waiter_queue.hpp>

#include <cstdint>

namespace harrier::detail {

/// How an attempt to wait ended.
enum class wait_start : std::uint8_t {
  taken,  ///< what is wanted was there
  waits,  ///< the node is queued: it belongs to whoever wakes it, and is not touched any more
  cancelled,  ///< a cancel is due instead
};

template <class Word>
class waiting_line {
 public:
  explicit waiting_line(std::uint64_t value) noexcept : word_(value) {}

  std::uint64_t value() const noexcept { return word_.value(); }
  bool has_waiters() const noexcept { return word_.has_waiters(); }

  template <class Change>
  bool try_take(Change change) noexcept {
    return word_.try_take(change);
  }
  template <class Change>
  bool try_give(Change change) noexcept {
    return word_.try_give(change);
  }

  // Inside: between enter() and leave().
  std::uint64_t enter() noexcept { return word_.enter(); }
  void leave(std::uint64_t value) noexcept { word_.leave(value, !queue_.empty()); }
  waiter_queue& queue() noexcept { return queue_; }

  /// Takes what `change` asks for, or queues `node` after `begin_wait()` has declared the wait.
  /// Nobody overtakes who waits already.
  template <class Change, class BeginWait>
  wait_start take_or_wait(waiter_node& node, Change change, BeginWait begin_wait) noexcept {
    const std::uint64_t now = enter();
    const next_value next = queue_.empty() ? change(now) : next_value::none();
    if (next) {
      leave(*next);
      return wait_start::taken;
    }
    if (!begin_wait()) {
      node.outcome = wait_outcome::withdrawn;
      leave(now);
      return wait_start::cancelled;
    }
    queue_.push_back(node);
    leave(now);
    return wait_start::waits;
  }

  /// Takes what `change` asks for if nobody waits for it.
  template <class Change>
  bool take_now(Change change) noexcept {
    if (word_.try_take(change)) {
      return true;
    }
    const std::uint64_t now = enter();
    const next_value next = queue_.empty() ? change(now) : next_value::none();
    leave(next ? *next : now);
    return static_cast<bool>(next);
  }

  /// False: too late.
  bool withdraw(waiter_node& node) noexcept {
    const std::uint64_t now = enter();
    const bool is_queued = node.outcome == wait_outcome::queued;
    if (is_queued) {
      queue_.remove(node, wait_outcome::withdrawn);
    }
    leave(now);
    return is_queued;
  }

 private:
  Word word_;
  waiter_queue queue_;
};

}  // namespace harrier::detail
