// SPDX-License-Identifier: Apache-2.0
// A value that knows how many of it live: a temporary that the compiler destroys twice, or never,
// leaves the count wrong. Not an aggregate, as nothing is that a coroutine takes by value.
#pragma once

#include <memory>
#include <utility>

namespace harrier::shapes {

class tracked {
 public:
  explicit tracked(int value) : value_(std::make_unique<int>(value)) { ++live; }
  tracked(tracked&& other) noexcept : value_(std::move(other.value_)) { ++live; }
  tracked(const tracked& other) : value_(std::make_unique<int>(*other.value_)) { ++live; }
  tracked& operator=(tracked other) noexcept {
    value_.swap(other.value_);
    return *this;
  }
  ~tracked() { --live; }

  int value() const { return *value_; }

  static inline int live = 0;

 private:
  std::unique_ptr<int> value_;
};

}  // namespace harrier::shapes
