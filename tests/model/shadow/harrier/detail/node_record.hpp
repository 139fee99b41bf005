// SPDX-License-Identifier: Apache-2.0
// Stands in front of the shipped header of this name: the nodes of a model have no records.
#pragma once

#include <harrier/detail/ready_node.hpp>
#include <harrier/priority.hpp>

namespace harrier::detail {

struct task_record;
task_record& record_of(ready_node& node) noexcept;

}  // namespace harrier::detail
