// SPDX-License-Identifier: Apache-2.0
// Walks a directory tree lazily, in the order of `LC_ALL=C sort` over the paths of its files.
//
// Memory      O(largest directory), whatever the size and depth of the tree. The listings of the
//             directories from the root down to the current one are kept only while they hold at
//             most twice as many entries as the largest (or a few thousand); then the outermost is
//             dropped and read again, from the last name on, when the walk comes back to it. What
//             was read below it in the meantime outweighs it, so the walk stays linear.
// Invariant   levels_ is the chain of directories from the root to the current one, path_ the path
//             of the last, ending in `/`.
#pragma once

#include "directory_listing.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace harrier::cli {

class tree_walk {
 public:
  /// Called for a directory that cannot be read, with its path and errno; the walk goes on.
  using error_sink = std::function<void(const std::string& path, int error)>;

  /// Reads nothing yet. Paths start with `root` as given, then exactly one `/` more if it has none.
  tree_walk(std::string root, error_sink on_error);

  /// The path of the next regular file, or nothing when there are no more. Symbolic links in the
  /// tree are neither followed nor returned.
  std::optional<std::string> next();

 private:
  struct level {
    std::size_t path_bytes = 0;  // of path_ that belong to this directory, its `/` included
    directory_listing listing;
    std::size_t position = 0;  // the next entry
    std::string last_name;  // the entry before, known while the listing is dropped
    bool is_dropped = false;
  };

  void enter();
  void leave();
  void read_listing(level& at);
  void drop_outer_listings();

  std::string path_;
  error_sink on_error_;
  std::vector<level> levels_;
  std::size_t kept_entries_ = 0;
  std::size_t largest_entries_ = 0;
  std::size_t first_kept_ = 0;  // levels before this one are dropped
};

}  // namespace harrier::cli
