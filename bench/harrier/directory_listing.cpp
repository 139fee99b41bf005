// SPDX-License-Identifier: Apache-2.0
#include "directory_listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace harrier::cli {

namespace {

struct close_directory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// Some file systems leave d_type unknown; lstat then knows.
unsigned char type_of(DIR* directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type;
  struct stat status{};
  if (::fstatat(::dirfd(directory), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return DT_UNKNOWN;
  }
  return S_ISREG(status.st_mode) ? DT_REG : S_ISDIR(status.st_mode) ? DT_DIR : DT_UNKNOWN;
}

bool is_dot(std::string_view name) { return name == "." || name == ".."; }

}  // namespace

int directory_listing::read(const std::string& path, std::string_view after) {
  const std::unique_ptr<DIR, close_directory> directory(::opendir(path.c_str()));
  if (!directory) return errno;
  int error = 0;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr) {
      error = errno;
      break;
    }
    const auto type = type_of(directory.get(), *entry);
    if (is_dot(entry->d_name) || (type != DT_REG && type != DT_DIR)) continue;
    add(entry->d_name, type == DT_DIR, after);
  }
  sort();
  return error;
}

void directory_listing::add(std::string_view name, bool is_directory, std::string_view after) {
  const auto start = names_.size();
  names_ += name;
  if (is_directory) names_ += '/';
  if (std::string_view(names_).substr(start) <= after) {
    names_.resize(start);
    return;
  }
  names_ += '\0';
  starts_.push_back(start);
}

void directory_listing::sort() {
  // strcmp compares as unsigned bytes, which is the order of LC_ALL=C sort.
  std::sort(starts_.begin(), starts_.end(), [this](std::size_t a, std::size_t b) {
    return std::strcmp(names_.data() + a, names_.data() + b) < 0;
  });
}

}  // namespace harrier::cli
