// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/context.hpp>
#include <harrier/priority.hpp>

#include <source_location>
#include <string_view>

namespace harrier::detail {

/// What a spawn says of its task, beside the work.
class spawn_request {
 public:
  /// Of a task that the library makes for itself: no line of the program stands for it.
  spawn_request(std::string_view task_name, priority task_class) noexcept
      : name(task_name), urgency(task_class) {}
  spawn_request(std::string_view task_name, priority task_class, std::source_location spawned_at,
                const context* shared = nullptr) noexcept
      : name(task_name), urgency(task_class), site(spawned_at), where(shared) {}

  bool has_site() const noexcept { return site.line() != 0; }

  std::string_view name;
  priority urgency;
  std::source_location site{};
  const context* where = nullptr;  ///< null: a copy of the caller's. Outlives the call
};

}  // namespace harrier::detail
