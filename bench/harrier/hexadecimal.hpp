// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace harrier::cli {

/// Two lower case digits for each byte.
std::string hexadecimal(std::string_view bytes);

}  // namespace harrier::cli
