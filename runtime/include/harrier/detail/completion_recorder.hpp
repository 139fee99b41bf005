// SPDX-License-Identifier: Apache-2.0
// Whoever is told which items of a batch have completed, so that a later run can leave them out.
#pragma once

#include <harrier/index_set.hpp>

#include <cstddef>
#include <cstdint>

namespace harrier::detail {

class HARRIER_EXPORT completion_recorder {
 public:
  completion_recorder() noexcept = default;
  completion_recorder(const completion_recorder&) = delete;
  completion_recorder& operator=(const completion_recorder&) = delete;
  virtual ~completion_recorder();

  /// A batch of `total` items is about to start on `slots` slots. Gives those that have completed
  /// before. What it throws is thrown by dispatch(), and nothing starts.
  virtual index_set begin(std::uint64_t total, std::size_t slots) = 0;
  /// These have completed. On the slot's thread, before the batch counts them: when it is done, all
  /// have been told.
  virtual void completed(std::size_t slot, index_range items) noexcept = 0;
};

/// Items that complete one after the other, told as one range.
class completion_run {
 public:
  completion_run(completion_recorder* to, std::size_t slot) noexcept : to_(to), slot_(slot) {}

  void add(std::uint64_t index) noexcept {
    if (to_ == nullptr) [[likely]] {
      return;
    }
    if (index != run_.last) {
      tell();
      run_.first = index;
    }
    run_.last = index + 1;
  }

  void tell() noexcept {
    if (!run_.empty()) {
      to_->completed(slot_, run_);
    }
    run_ = {};
  }

 private:
  completion_recorder* to_;
  std::size_t slot_;
  index_range run_;
};

}  // namespace harrier::detail
