// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace harrier::cli {

/// What tells a file that was hashed before from one that has changed since: size and time of the last
/// modification.
class file_identity {
 public:
  file_identity() noexcept {}
  explicit file_identity(const struct stat& status) noexcept;

  friend bool operator==(const file_identity&, const file_identity&) noexcept = default;

  /// Modified so recently that one more change might not show in the time.
  bool is_too_recent() const noexcept;

  bool is_regular = false;
  std::uint64_t bytes = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
};

}  // namespace harrier::cli
