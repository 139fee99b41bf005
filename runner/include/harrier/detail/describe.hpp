// SPDX-License-Identifier: Apache-2.0
// What a report says of a task: its name, where it waits, where it was spawned.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/errors.hpp>

#include <source_location>
#include <string>

namespace harrier::detail {

class task_record;
struct ready_node;

/// Any thread; the record is held, or in a list that is. A task that waits is held still meanwhile.
HARRIER_EXPORT error_report describe(task_record& record, std::string message,
                                     std::exception_ptr error = nullptr);
/// What is about to run. On the thread of its loop.
error_report describe_ready(ready_node& node);
/// Debug mode: remembers where the task was spawned. Before it can run.
HARRIER_EXPORT void note_spawn(task_record& record, std::source_location where) noexcept;

}  // namespace harrier::detail
