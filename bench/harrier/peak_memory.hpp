// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace harrier::cli {

/// The most memory this process had resident so far, in bytes.
std::uint64_t peak_rss_bytes();

}  // namespace harrier::cli
