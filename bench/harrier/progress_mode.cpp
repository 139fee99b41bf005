// SPDX-License-Identifier: Apache-2.0
#include "progress_mode.hpp"

#include <map>
#include <string>

namespace harrier::cli {

void add_progress_option(CLI::App& command, progress_mode& to) {
  const std::map<std::string, progress_mode> modes{
      {"bar", progress_mode::bar}, {"json", progress_mode::json}, {"none", progress_mode::none}};
  command
      .add_option_function<std::string>(
          "--progress", [&to, modes](const std::string& name) { to = modes.at(name); },
          "What to show on standard error meanwhile")
      ->check(CLI::IsMember({"bar", "json", "none"}))
      ->default_str("bar, on a terminal");
}

}  // namespace harrier::cli
