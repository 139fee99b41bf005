// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace harrier::cli {

/// The whole number that `text` means: 250000, 250k, 2.5M, 1G or 1e6. Nothing if it is not one.
std::optional<std::uint64_t> parse_count(const std::string& text);

/// Lets an option take what parse_count() reads, from `least` to `most`; anything else is refused
/// with a message that names the range.
CLI::Validator count_between(std::uint64_t least, std::uint64_t most);

}  // namespace harrier::cli
