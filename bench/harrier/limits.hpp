// SPDX-License-Identifier: Apache-2.0
// What more than one command accepts at most.
#pragma once

#include <cstdint>

namespace harrier::cli {

inline constexpr std::uint64_t most_coroutines = 1'000'000'000;
inline constexpr std::uint64_t most_retries = 100;

}  // namespace harrier::cli
