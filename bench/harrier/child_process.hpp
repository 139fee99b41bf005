// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harrier::cli {

/// How a program that was run to its end fared.
class child_result {
 public:
  child_result() {}

  std::string output;
  int exit_status = 0;  // 128 + the signal's number when one killed it, as shells show it
};

/// Runs the program, found in PATH, with `input` as its standard input, and collects what it writes
/// to standard output; its standard error is ours.
///
/// Errors    std::system_error when it cannot be started.
child_result run_program(const std::vector<std::string>& command, std::string_view input);

}  // namespace harrier::cli
