// SPDX-License-Identifier: Apache-2.0
// The wait of a task, held still for a scope: neither a waker nor a canceller ends it meanwhile, and
// nobody waits for us.
//
// Threads     any that holds a reference to the record, or the list that it is in.
// Protocol    waiting -> withdrawing, as the loop does when it takes a node back (task_record.hpp). At the
//             end we do for wakers and cancellers what they would have done.
// Invariant   of a task that is held, the frames of its chain and what it waits for are there: its own
//             code cannot have gone on.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/detail/task_record.hpp>

namespace harrier::detail {

class HARRIER_EXPORT held_wait {
 public:
  /// Holds nothing if the task does not wait, or somebody deals with its wait just now.
  explicit held_wait(task_record& record) noexcept;
  ~held_wait();
  held_wait(held_wait&& other) noexcept;
  held_wait& operator=(held_wait&&) = delete;

  explicit operator bool() const noexcept { return record_ != nullptr; }
  const suspension& node() const noexcept { return *record_->wait; }

 private:
  task_record* record_ = nullptr;
};

}  // namespace harrier::detail
