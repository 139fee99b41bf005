// SPDX-License-Identifier: Apache-2.0
// What the primitives throw when they are misused, and when what is waited for will never come.
#pragma once

#include <harrier/detail/config.hpp>

#include <stdexcept>

namespace harrier {

/// A `local_` primitive was used on another loop than the one that used it first. Nothing changed.
class HARRIER_EXPORT foreign_loop : public std::logic_error {
 public:
  explicit foreign_loop(const char* what);
};

/// A count was given that cannot be: negative, or of nobody.
class HARRIER_EXPORT invalid_count : public std::invalid_argument {
 public:
  explicit invalid_count(const char* what);
};

/// Something was unlocked, waited with or notified that was not locked. Nothing changed.
class HARRIER_EXPORT not_locked : public std::logic_error {
 public:
  explicit not_locked(const char* what);
};

/// More was given back than had been taken: a bounded semaphore, a latch or a wait group would leave
/// its range. Nothing changed.
class HARRIER_EXPORT too_many_releases : public std::logic_error {
 public:
  explicit too_many_releases(const char* what);
};

/// The barrier was reset or aborted while the coroutine waited, or had been aborted before.
class HARRIER_EXPORT broken_barrier : public std::runtime_error {
 public:
  broken_barrier();
};

/// Something was sent to a channel that is closed. The item was not taken.
class HARRIER_EXPORT channel_closed : public std::runtime_error {
 public:
  channel_closed();
};

}  // namespace harrier
