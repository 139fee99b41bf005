// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace harrier::cli {

/// What the arguments of the program ask for: work, or only something to print.
class parsed_command {
 public:
  parsed_command() {}

  std::function<int()> work;  ///< gives the exit status; empty: there is only what is below
  int status = 0;
  std::string text;  ///< for standard output: help, or the version
  std::string complaint;  ///< for standard error: why the arguments are refused
};

/// Reads the arguments, without the program's name. Does nothing else, and prints nothing.
parsed_command parse_command_line(std::vector<std::string> arguments);

}  // namespace harrier::cli
