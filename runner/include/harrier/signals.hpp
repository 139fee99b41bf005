// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <cstdint>

namespace harrier {

/// Which signals a runner or a runtime takes for itself.
enum class signals : std::uint8_t {
  none = 0,
  interrupt = 1,  ///< SIGINT, what Ctrl-C sends
  terminate = 2,  ///< SIGTERM, what containers stop a program with
  interrupt_and_terminate = 3,
};

/// What `runner::run` throws because of a signal: the first press has cancelled main, which ended by
/// it; or a second press came, and main goes on in the next run unless close() cancels it.
///
/// Like `cancelled` it is not a `std::exception`: code that tries again after any error does not
/// swallow a Ctrl-C by mistake.
class HARRIER_EXPORT interrupted {
 public:
  explicit interrupted(int signal) noexcept : signal_(signal) {}
  /// SIGINT or SIGTERM.
  int signal() const noexcept { return signal_; }
  const char* what() const noexcept;

 private:
  int signal_;
};

}  // namespace harrier
