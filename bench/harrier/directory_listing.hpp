// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace harrier::cli {

/// The regular files and directories in one directory, in the byte order that their paths have in a
/// sorted list of all files below. A directory's name ends in `/`, which is what its files' paths
/// go on with: that is why `a.b` comes before everything in `a/`. Anything else is left out, a
/// symbolic link too.
///
/// All names share one block of memory; an entry costs its name and nine bytes.
class directory_listing {
 public:
  directory_listing() {}

  /// Reads the directory; only entries that sort after `after` are kept. Returns 0 or an errno;
  /// with an errno the listing holds what could be read.
  int read(const std::string& path, std::string_view after);

  std::size_t size() const noexcept { return starts_.size(); }
  std::string_view name(std::size_t entry) const { return names_.data() + starts_[entry]; }

 private:
  void add(std::string_view name, bool is_directory, std::string_view after);
  void sort();

  std::string names_;  // each ends in a NUL, the one byte that no name holds
  std::vector<std::size_t> starts_;
};

}  // namespace harrier::cli
