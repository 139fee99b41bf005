// SPDX-License-Identifier: Apache-2.0
// Children that are forked together and want to know at once when one of them fails.
#pragma once

namespace harrier::detail {

struct promise_base;
struct suspension;

/// The `owner` of each child of the group, from before the fork on (join_word::enter_group). In its
/// place the group keeps the node of the parent, which waits for one child at a time.
struct child_group {
  explicit child_group(void (*when_failed)(child_group& self,
                                           promise_base& child) noexcept) noexcept
      : failed(when_failed) {}
  child_group(const child_group&) = delete;
  child_group& operator=(const child_group&) = delete;

  /// A stolen child has failed. On its thread, before it says that it has ended.
  void (*failed)(child_group& self, promise_base& child) noexcept;
  suspension* parent = nullptr;  ///< published by join_word::parent_waits()
};

}  // namespace harrier::detail
