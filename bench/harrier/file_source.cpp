// SPDX-License-Identifier: Apache-2.0
#include "file_source.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace harrier::cli {

file_source::file_source(std::vector<std::string> arguments, tree_walk::error_sink on_error)
    : arguments_(std::move(arguments)), on_error_(std::move(on_error)) {}

std::optional<found_file> file_source::next() {
  for (;;) {
    if (tree_) {
      if (auto path = tree_->next()) return found_file(std::move(*path), symlinks::refuse);
      tree_.reset();
    }
    if (next_argument_ == arguments_.size()) return std::nullopt;
    const auto& argument = arguments_[next_argument_++];
    struct stat status{};
    if (::stat(argument.c_str(), &status) != 0) {
      on_error_(argument, errno);
    } else if (S_ISDIR(status.st_mode)) {
      tree_.emplace(argument, on_error_);
    } else {
      return found_file(argument, symlinks::follow);
    }
  }
}

}  // namespace harrier::cli
