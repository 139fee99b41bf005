// SPDX-License-Identifier: Apache-2.0
#include "file_identity.hpp"

#include <ctime>

namespace harrier::cli {

namespace {

// Linux takes a file's time from a clock that ticks 100 to 1000 times a second.
constexpr std::int64_t clock_tick_nanoseconds = 20'000'000;
constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

}  // namespace

file_identity::file_identity(const struct stat& status) noexcept
    : is_regular(S_ISREG(status.st_mode)),
      bytes(static_cast<std::uint64_t>(status.st_size)),
      seconds(status.st_mtim.tv_sec),
      nanoseconds(status.st_mtim.tv_nsec) {}

bool file_identity::is_too_recent() const noexcept {
  struct timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t age =
      (now.tv_sec - seconds) * nanoseconds_per_second + now.tv_nsec - nanoseconds;
  return age >= 0 && age < clock_tick_nanoseconds;
}

}  // namespace harrier::cli
