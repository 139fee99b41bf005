// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli): finds every burst of errors up to 32 bits, and every odd number of flipped
// bits.
//
// Own code because the libraries depend on oneTBB alone; zlib has another polynomial. Eight tables,
// so that checking an output of gigabytes costs less than reading it.
#pragma once

#include <harrier/detail/config.hpp>

#include <cstdint>
#include <string_view>

namespace harrier::detail {

/// The sum of what `sum` is the sum of, followed by `bytes`; that of nothing is 0.
HARRIER_EXPORT std::uint32_t crc32c(std::uint32_t sum, std::string_view bytes) noexcept;

}  // namespace harrier::detail
