// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace harrier::cli {

/// Adds `harrier compare` to the program. When the user chose it, parsing stores what to run, and
/// its exit status, in `chosen`.
void add_compare_command(CLI::App& program, std::function<int()>& chosen);

}  // namespace harrier::cli
