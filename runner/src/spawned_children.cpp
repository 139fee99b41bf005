// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/spawned_children.hpp>

namespace harrier::detail {

void spawned_children::check() {
  const bool interrupted = !children_.leave() && children_.was_interrupted();
  if (refused_ != nullptr) {
    std::rethrow_exception(refused_);
  }
  if (const std::exception_ptr& error = children_.decisive_error()) {
    if (interrupted) {
      children_.parent().rearm();  // the error is thrown, and the cancel at the next suspension
    }
    std::rethrow_exception(error);
  }
  if (interrupted) {
    children_.parent().task().throw_cancelled();
  }
}

}  // namespace harrier::detail
