// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace harrier::cli {

/// The time that `text` means: 10, 10s, 1.5s, 250ms, 5m or 2h; a number alone is in seconds. Nothing if
/// it is none, is not above zero, or is more than a year.
std::optional<std::chrono::nanoseconds> parse_duration(const std::string& text);

/// Adds an option that takes what parse_duration() reads.
CLI::Option* add_duration_option(CLI::App& command, const std::string& name,
                                 std::optional<std::chrono::nanoseconds>& to,
                                 const std::string& description);

}  // namespace harrier::cli
