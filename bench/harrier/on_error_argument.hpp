// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/error_policy.hpp>

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace harrier::cli {

/// What `text` means: fail, collect, a number of failures to tolerate, or a share of the items as 5%.
/// Nothing if it is none of them.
std::optional<error_policy> parse_error_policy(const std::string& text);

/// Adds `--on-error`, which takes what parse_error_policy() reads.
CLI::Option* add_on_error_option(CLI::App& command, error_policy& to,
                                 const std::string& description);

}  // namespace harrier::cli
