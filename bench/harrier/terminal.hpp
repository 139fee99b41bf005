// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace harrier::cli {

/// Standard output / standard error is a terminal that understands escape sequences.
bool is_output_terminal() noexcept;
bool is_error_terminal() noexcept;
/// Columns of the terminal at standard error; 80 when it does not say.
std::size_t error_terminal_columns() noexcept;
/// The locale's characters are UTF-8, so that block characters can be drawn.
bool is_locale_utf8();

}  // namespace harrier::cli
