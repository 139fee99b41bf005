// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace harrier::cli {

/// How `--progress` shows how far the work is, always on standard error.
enum class progress_mode {
  automatic,  ///< a bar on a terminal, unless the results go there as well; otherwise none
  bar,  ///< a bar, if standard error is a terminal
  json,  ///< one JSON object a line, once a second and at the end
  none,
};

void add_progress_option(CLI::App& command, progress_mode& to);

}  // namespace harrier::cli
