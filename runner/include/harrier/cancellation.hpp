// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

namespace harrier {

/// What a cancelled task sees, thrown out of the `co_await` at which it waits.
///
/// It is not a `std::exception`, so `catch (const std::exception&)` does not swallow it by mistake.
class HARRIER_EXPORT cancelled {
 public:
  cancelled() noexcept = default;
  explicit cancelled(std::shared_ptr<const std::string> message) noexcept;
  virtual ~cancelled();
  cancelled(const cancelled&) noexcept = default;
  cancelled& operator=(const cancelled&) noexcept = default;

  /// The message given to `cancel()`, or "cancelled".
  virtual const char* what() const noexcept;

 private:
  std::shared_ptr<const std::string> message_;
};

/// What ordinary code gets from `run`, `get` and `wait` when the task ended cancelled. It is both a
/// `cancelled` and a `std::runtime_error`.
class HARRIER_EXPORT run_cancelled : public cancelled, public std::runtime_error {
 public:
  explicit run_cancelled(const cancelled& reason);
  const char* what() const noexcept override;
};

namespace detail {
/// Whether `error` holds a cancel. Costs no throw where it holds a plain one.
HARRIER_EXPORT bool is_cancel(const std::exception_ptr& error) noexcept;
}  // namespace detail

}  // namespace harrier
