// SPDX-License-Identifier: Apache-2.0
#include <harrier/task_group.hpp>

#include <vector>

namespace harrier {

task_group::place_for_child::place_for_child(detail::nursery& children) : children_(children) {
  auto at = detail::nursery::phase::fresh;
  member_ = children.reserve(0, at);
  if (member_ != nullptr) {
    return;
  }
  switch (at) {
    case detail::nursery::phase::fresh:
      throw task_group_misuse("task_group has not been entered");
    case detail::nursery::phase::aborting:
      throw task_group_misuse("task_group is shutting down");
    case detail::nursery::phase::open:
    case detail::nursery::phase::closed:
      throw task_group_misuse("task_group is finished");
  }
}

task_group::place_for_child::~place_for_child() {
  if (member_ != nullptr) {
    children_.release(*member_);
  }
}

void task_group::place_for_child::give(detail::task_record& child) noexcept {
  children_.adopt(*std::exchange(member_, nullptr), child);
}

void task_group::finish(const std::exception_ptr* body_error) {
  const bool own_cancel = children_.leave();
  const bool body_cancelled = body_error != nullptr && detail::is_cancel(*body_error);
  std::vector<std::exception_ptr> errors = children_.errors();
  if (body_error != nullptr && !body_cancelled) {
    errors.push_back(*body_error);
  }
  if (!errors.empty()) {
    children_.parent().rearm();
    throw exception_group("unhandled errors in a task_group", std::move(errors));
  }
  if (body_cancelled) {
    std::rethrow_exception(*body_error);
  }
  if (children_.was_interrupted() && !own_cancel) {
    children_.parent().task().throw_cancelled();
  }
}

}  // namespace harrier
