// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/cancellation.hpp>
#include <harrier/detail/stored.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace harrier {

/// How a task ended: a value, an error, or a cancel. A void task's value is std::monostate, a
/// reference is a std::reference_wrapper.
template <class T>
class outcome {
 public:
  using value_type = detail::stored<T>;

  explicit outcome(value_type value) : value_(std::move(value)) {}
  explicit outcome(std::exception_ptr error) noexcept : error_(std::move(error)) {}

  bool has_value() const noexcept { return value_.has_value(); }
  /// It ended by a cancel; error() is that.
  bool was_cancelled() const noexcept { return error_ != nullptr && detail::is_cancel(error_); }
  /// It ended with an error that is no cancel.
  bool has_failed() const noexcept { return error_ != nullptr && !detail::is_cancel(error_); }

  /// The value, or a throw of what it ended with.
  value_type& value() & {
    rethrow();
    return *value_;
  }
  value_type value() && {
    rethrow();
    return std::move(*value_);
  }
  /// Null if there is a value.
  const std::exception_ptr& error() const noexcept { return error_; }

 private:
  void rethrow() const {
    if (error_ != nullptr) {
      std::rethrow_exception(error_);
    }
  }

  std::optional<value_type> value_;
  std::exception_ptr error_;
};

}  // namespace harrier
