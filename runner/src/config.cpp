// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/config.hpp>

#include <harrier/version.hpp>

#include <cstdio>
#include <cstdlib>

namespace harrier {

const char* version() noexcept { return HARRIER_VERSION; }

namespace detail {

void assertion_failed(const char* what, const char* file, unsigned line) noexcept {
  std::fprintf(stderr, "harrier: %s:%u: assertion failed: %s\n", file, line, what);
  std::abort();
}

void fatal(const char* message) noexcept {
  std::fprintf(stderr, "harrier: %s\n", message);
  std::abort();
}

}  // namespace detail
}  // namespace harrier
