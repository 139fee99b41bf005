// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/priority.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace harrier {

class checkpoint;
namespace detail {
class completion_recorder;
}

/// How the items of a batch are dealt to the workers. Other workers may steal what has not started,
/// unless the batch is strict.
enum class routing {
  balanced,  ///< equal contiguous parts
  round_robin,  ///< item i to worker i modulo the number of workers
  by_key,  ///< items with one key to one worker
};

/// How a batch is dispatched. The defaults suit most batches.
class dispatch_options {
 public:
  dispatch_options() {}

  dispatch_options& round_robin() {
    policy = routing::round_robin;
    return *this;
  }
  /// `of(index)` is called once for each item, by dispatch().
  dispatch_options& by_key(std::function<std::uint64_t(std::uint64_t)> of) {
    policy = routing::by_key;
    key = std::move(of);
    return *this;
  }
  /// No item is started on another worker than it was dealt to.
  dispatch_options& strictly() {
    strict = true;
    return *this;
  }
  /// At most `most` items started and unfinished at once; 0: automatic.
  dispatch_options& with_window(std::uint64_t most) {
    window = most;
    return *this;
  }
  /// How urgent the items are, those that start and those that go on after a wait.
  dispatch_options& with_priority(priority how) {
    urgency = how;
    return *this;
  }

  /// Leaves out the items that `of` knows to be finished, and records there each one that
  /// completes. The items return nothing (checkpoint.hpp).
  HARRIER_EXPORT dispatch_options& with_checkpoint(checkpoint& of);

  routing policy = routing::balanced;
  std::function<std::uint64_t(std::uint64_t)> key;
  bool strict = false;
  std::uint64_t window = 0;
  priority urgency = priority::normal;
  std::shared_ptr<detail::completion_recorder> recorder;
};

}  // namespace harrier
