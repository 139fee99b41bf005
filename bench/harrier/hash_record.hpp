// SPDX-License-Identifier: Apache-2.0
// A record of the log of `harrier hash --checkpoint`: digest, size, seconds, nanoseconds and path,
// blanks between them and a NUL, which no path has, at the end.
#pragma once

#include "file_digest.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace harrier::cli {

std::string record_of(const file_digest& digest);

/// Of a record without its NUL. Throws std::runtime_error when it is none.
file_digest parse_record(std::string_view record);
std::string_view path_of_record(std::string_view record);

/// No record of this path has more bytes.
std::size_t longest_record(std::string_view path);

}  // namespace harrier::cli
