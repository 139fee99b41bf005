// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/runtime.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace harrier::cli {

class hash_options {
 public:
  hash_options() {}

  std::vector<std::string> paths;
  std::uint64_t workers = default_workers();
  bool json = false;
};

/// Hashes what the paths stand for onto standard output; returns the program's exit status.
int hash_paths(const hash_options& options);

}  // namespace harrier::cli
