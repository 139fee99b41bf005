// SPDX-License-Identifier: Apache-2.0
// What the sides of a two_sided_ring are made of, and what stands for it on one loop.
#pragma once

#include <atomic>
#include <cstdint>

namespace harrier::detail {

/// A lock where there is one thread.
struct no_lock {
  void lock() noexcept {}
  void unlock() noexcept {}
};

/// A number that one side changes, under its lock, and the other looks at.
class published_position {
 public:
  // relaxed: under the lock of the side that changes it
  std::uint64_t own() const noexcept { return value_.load(std::memory_order_relaxed); }
  std::uint64_t of_other() const noexcept {
    return value_.load(std::memory_order_acquire);  // [position:published]
  }
  void publish(std::uint64_t value) noexcept {
    // release: the slots up to here are visible to the other side  [position:published]
    value_.store(value, std::memory_order_release);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class plain_position {
 public:
  std::uint64_t own() const noexcept { return value_; }
  std::uint64_t of_other() const noexcept { return value_; }
  void publish(std::uint64_t value) noexcept { value_ = value; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace harrier::detail
