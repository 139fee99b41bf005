// SPDX-License-Identifier: Apache-2.0
// Where a forked child that left its parent meets it again: whoever comes last goes on. And how a
// cancel follows it.
//
// Threads     the child runs on one, the parent waits or cancels on another.
// Protocol    the word gathers bits and is 0 at first.
//             parent: writes its node into `owner`, then parent_waits; if the child has ended it
//                     goes on itself.
//             child:  child_ended; if it finds parent_waits it continues the parent.
//             cancel: cancel_wanted | cancelling; cancels the record if record_made and not
//                     record_closing; then takes cancelling away.
//             child:  record_made once it has a record, and cancels it if cancel_wanted came first;
//                     record_closing before the record goes, and waits while cancelling.
#pragma once

#include <harrier/detail/promise.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

inline constexpr std::uint32_t parent_waits = 1;
inline constexpr std::uint32_t child_ended = 2;
inline constexpr std::uint32_t cancel_wanted = 4;
inline constexpr std::uint32_t cancelling = 8;
inline constexpr std::uint32_t record_made = 16;
inline constexpr std::uint32_t record_closing = 32;
/// Never offered to thieves: there was no worker, or no memory. Set and read by the parent alone.
inline constexpr std::uint32_t kept_for_join = 64;

inline void keep_for_join(promise_base& child) noexcept {
  child.join.store(kept_for_join, std::memory_order_relaxed);  // parent only
}
inline bool is_kept_for_join(const promise_base& child) noexcept {
  return (child.join.load(std::memory_order_relaxed) & kept_for_join) != 0;  // parent only
}

/// Whether the child has ended, with its result visible.
inline bool has_ended(const promise_base& child) noexcept {
  // acquire: pairs with meet_parent()  [join_word:ended]
  return (child.join.load(std::memory_order_acquire) & child_ended) != 0;
}

/// The parent's side. False: the child has ended already.
inline bool wait_for_child(promise_base& child, suspension& parent) noexcept {
  child.owner = &parent;
  // acq_rel: `owner` is visible to the child, or its result to us  [join_word:ended]
  return (child.join.fetch_or(parent_waits, std::memory_order_acq_rel) & child_ended) == 0;
}

/// The child's side. The node of the parent, if it waits, which the caller now has to continue.
inline suspension* meet_parent(promise_base& child) noexcept {
  // acq_rel: publishes the result, and sees `owner`  [join_word:ended]
  const std::uint32_t before = child.join.fetch_or(child_ended, std::memory_order_acq_rel);
  return (before & parent_waits) != 0 ? static_cast<suspension*>(child.owner) : nullptr;
}

/// Cancels a child that a thief has, for the parent. False: it has ended.
HARRIER_EXPORT bool cancel_stolen(promise_base& child) noexcept;

}  // namespace harrier::detail
