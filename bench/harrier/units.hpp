// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace harrier::cli {

using seconds_f = std::chrono::duration<double>;

/// 10,000,000
std::string with_separators(std::uint64_t value);
/// Three significant digits and a decimal prefix: 162 M, 4.81 k, 12.0
std::string short_count(double value);
/// Bytes in powers of 1000: 83.9 MB, 512 B
std::string short_bytes(double bytes);
/// 61.3 ms, 2.04 s, 815 ns
std::string short_time(seconds_f time);
/// 0:07, 12:40, 3:05:12
std::string clock_time(seconds_f time);

}  // namespace harrier::cli
