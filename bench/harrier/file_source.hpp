// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "file_digest.hpp"
#include "tree_walk.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace harrier::cli {

/// A file to hash, and whether its last name may be a symbolic link.
class found_file {
 public:
  found_file(std::string p, symlinks l) : path(std::move(p)), links(l) {}

  std::string path;
  symlinks links;
};

/// The files that the arguments of `harrier hash` stand for, one at a time: an argument that is a
/// directory, or a link to one, stands for the regular files below it, any other for itself.
class file_source {
 public:
  /// `on_error` hears of arguments and directories that cannot be read.
  file_source(std::vector<std::string> arguments, tree_walk::error_sink on_error);

  std::optional<found_file> next();

 private:
  std::vector<std::string> arguments_;
  tree_walk::error_sink on_error_;
  std::size_t next_argument_ = 0;
  std::optional<tree_walk> tree_;
};

}  // namespace harrier::cli
