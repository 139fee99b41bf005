// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/runtime.hpp>

#include "progress_mode.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace harrier::cli {

class hash_options {
 public:
  hash_options() {}

  std::vector<std::string> paths;
  std::uint64_t workers = default_workers();
  bool json = false;
  // So many that one long file does not keep the rest waiting, so few that they cost a megabyte.
  std::uint64_t window = 1024;
  std::string output;  // standard output if empty
  std::string checkpoint;  // none if empty
  std::optional<std::chrono::nanoseconds> checkpoint_interval;
  std::optional<std::chrono::nanoseconds> deadline;
  std::uint64_t retries = 0;
  std::uint64_t files_per_second = 0;  // 0: as many as can be
  error_policy errors = collect_all;
  progress_mode progress = progress_mode::automatic;
};

/// Hashes what the paths stand for onto the output; returns the program's exit status.
int hash_paths(const hash_options& options);

}  // namespace harrier::cli
