// SPDX-License-Identifier: Apache-2.0
// From a ready task to its record, and from the record to where it may run and how soon.
#pragma once

#include <harrier/detail/suspension.hpp>
#include <harrier/detail/task_record.hpp>
#include <harrier/priority.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

/// The task of a stealable node: it waits in the node, or the node is its record, not started yet.
inline task_record& record_of(ready_node& node) noexcept {
  return node.operations->run == &suspension::run ? *static_cast<suspension&>(node).record
                                                  : static_cast<task_record&>(node);
}

/// The bits of the state word for a class.
constexpr std::uint32_t priority_bits(priority urgency) noexcept {
  switch (urgency) {
    case priority::high:
      return task_record::high_priority;
    case priority::low:
      return task_record::low_priority;
    case priority::normal:
      break;
  }
  return 0;
}

constexpr priority priority_of(std::uint32_t state) noexcept {
  if ((state & task_record::high_priority) != 0) {
    return priority::high;
  }
  return (state & task_record::low_priority) != 0 ? priority::low : priority::normal;
}

/// Before the task can run, or by the task itself.
inline void set_placing(task_record& record, std::uint32_t bits) noexcept {
  if (bits != 0) {
    // relaxed: whoever queues the task again has seen this store; a canceller only adds bits
    record.state.fetch_or(bits, std::memory_order_relaxed);
  }
}

/// Whether the task is bound, and its class: 0 for a plain one, which is nearly every task.
inline std::uint32_t placing_of(const task_record& record) noexcept {
  return record.state.load(std::memory_order_relaxed) & task_record::placing_mask;
}

}  // namespace harrier::detail
