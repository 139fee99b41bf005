// SPDX-License-Identifier: Apache-2.0
// Where a forked child that left its parent meets it again: whoever comes last goes on. And how a
// cancel follows it.
//
// Threads     the child runs on one, the parent waits on another, either may be cancelled by a third.
// Protocol    the word gathers bits and is 0 at first.
//             parent: writes its node into the child's `owner`, then parent_waits; if the child has
//                     ended it goes on itself.
//             child:  child_ended; if it finds parent_waits it continues the parent.
//             cancel: cancel_wanted | cancelling; cancels the record if record_made and not
//                     record_closing; then takes cancelling away.
//             child:  record_made once it has a record, and cancels it if cancel_wanted came first;
//                     record_closing before the record goes, and waits while cancelling.
//             group:  in_group is set before the fork, and `owner` is the child_group for good.
#pragma once

#include <harrier/detail/spin_wait.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

class join_word {
 public:
  constexpr join_word() noexcept = default;
  join_word(const join_word&) = delete;
  join_word& operator=(const join_word&) = delete;

  /// The child is never offered to thieves: there is no worker, or no memory. For the parent.
  void keep() noexcept { bits_.store(kept, std::memory_order_relaxed); }  // parent only
  bool is_kept() const noexcept {
    return (bits_.load(std::memory_order_relaxed) & kept) != 0;  // parent only
  }

  /// The child is one of a child_group, which is its `owner`. For the parent, before the fork.
  void enter_group() noexcept {
    bits_.store(in_group, std::memory_order_relaxed);  // published with the child
  }
  bool is_in_group() const noexcept {
    return (bits_.load(std::memory_order_relaxed) & in_group) != 0;  // constant after the fork
  }

  /// Whether the child has ended, with its result visible.
  bool has_ended() const noexcept {
    // acquire: pairs with child_ends()  [join_word:ended]
    return (bits_.load(std::memory_order_acquire) & child_ended) != 0;
  }

  /// The parent, whose node is in the child's `owner`, waits. False: the child has ended already.
  bool parent_waits() noexcept {
    // acq_rel: `owner` is visible to the child, or its result to us  [join_word:ended]
    return (bits_.fetch_or(parent_waiting, std::memory_order_acq_rel) & child_ended) == 0;
  }

  /// Whether the parent has come to wait. For the parent.
  bool is_waited_for() const noexcept {
    return (bits_.load(std::memory_order_relaxed) & parent_waiting) != 0;  // parent only
  }

  /// The child's result is in place. True: the parent waits, and the caller has to continue it.
  bool child_ends() noexcept {
    // acq_rel: publishes the result, and sees `owner`  [join_word:ended]
    return (bits_.fetch_or(child_ended, std::memory_order_acq_rel) & parent_waiting) != 0;
  }

  enum class cancel { too_late, left, of_record };
  /// Somebody cancels the child: too late, left to whoever makes its record, or to be passed to its
  /// record, which stays until end_cancel(). That follows unless it is too late.
  cancel begin_cancel() noexcept {
    // acquire: a record that was made is visible, and the result of a child that has ended; the wish
    // itself is all that its maker learns from us  [join_word:record] [join_word:ended]
    const std::uint32_t before =
        bits_.fetch_or(cancel_wanted | cancelling, std::memory_order_acquire);
    if ((before & child_ended) != 0) {
      return cancel::too_late;
    }
    return (before & (record_made | record_closing)) == record_made ? cancel::of_record
                                                                    : cancel::left;
  }
  void end_cancel() noexcept {
    bits_.fetch_and(~cancelling, std::memory_order_release);  // [join_word:cancelling]
  }

  /// The child has a record now. True: a cancel came before, and the caller passes it on.
  bool makes_record() noexcept {
    // release: the record is visible to a canceller  [join_word:record]
    return (bits_.fetch_or(record_made, std::memory_order_release) & cancel_wanted) != 0;
  }

  /// The record is about to go: whoever cancels it just now comes first.
  void closes_record() noexcept {
    // acquire: pairs with end_cancel()  [join_word:cancelling]
    std::uint32_t now = bits_.fetch_or(record_closing, std::memory_order_acquire);
    while ((now & cancelling) != 0) {
      pause_processor();
      now = bits_.load(std::memory_order_acquire);  // [join_word:cancelling]
    }
  }

 private:
  static constexpr std::uint32_t parent_waiting = 1;
  static constexpr std::uint32_t child_ended = 2;
  static constexpr std::uint32_t cancel_wanted = 4;
  static constexpr std::uint32_t cancelling = 8;
  static constexpr std::uint32_t record_made = 16;
  static constexpr std::uint32_t record_closing = 32;
  static constexpr std::uint32_t kept = 64;
  static constexpr std::uint32_t in_group = 128;

  std::atomic<std::uint32_t> bits_{0};
};

}  // namespace harrier::detail
