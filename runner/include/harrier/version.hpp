// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

/// The version of the headers that a program is compiled against, as "major.minor.patch".
#define HARRIER_VERSION "0.1.0"

namespace harrier {

/// The version of the library that the program runs with; compare it with HARRIER_VERSION.
HARRIER_EXPORT const char* version() noexcept;

}  // namespace harrier
