// SPDX-License-Identifier: Apache-2.0
// Files that survive a process killed at any point, and one that loses its power: what a checkpoint
// and its output are kept in.
//
// Errors      std::system_error, whose text names the call and the file.
#pragma once

#include <harrier/detail/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace harrier::detail {

/// An open file, closed at the end of its scope.
class HARRIER_EXPORT descriptor {
 public:
  descriptor() noexcept = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept;
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor();

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// All of a regular file; nothing if there is none.
HARRIER_EXPORT std::optional<std::string> read_file(const std::string& path);

/// Puts `bytes` in the place of the file, or makes it: whenever the process or the machine stops,
/// there is the old content or the new one. By way of `path`.tmp, which one process at a time uses.
HARRIER_EXPORT void replace_file(const std::string& path, std::string_view bytes);

/// A file that only grows.
class HARRIER_EXPORT appended_file {
 public:
  enum class if_missing { make, fail };
  /// Opens or makes it; its content stays until truncate().
  appended_file(const std::string& path, if_missing then);

  /// How many bytes it has that count: what comes next is written behind them.
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint32_t crc() const noexcept { return crc_; }

  /// Keeps the first `bytes` of it, if it has as many and they have that sum; false: it has not, and
  /// nothing was changed.
  bool truncate(std::uint64_t bytes, std::uint32_t crc);
  /// Writes behind what counts. If it fails, nothing of it counts and it may be tried again.
  void append(std::string_view text);
  /// Puts it in the place of `path`, in the same directory. A loss of power may undo that.
  void rename(const std::string& path);
  /// What counts survives a loss of power. Once that failed it fails for good: the kernel forgets
  /// which pages it could not write.
  void sync();

 private:
  std::string path_;
  descriptor file_;
  std::uint64_t bytes_ = 0;
  std::uint32_t crc_ = 0;
  int sync_error_ = 0;
};

/// Keeps everybody else from what `path` names, by a lock on a file beside it that holds the owner's
/// process number. The kernel takes the lock back when the process ends, however it ends.
class HARRIER_EXPORT file_lock {
 public:
  /// Throws checkpoint_error, in_use, with the owner's process number.
  explicit file_lock(const std::string& path);
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;
  ~file_lock();

 private:
  bool try_lock();  // false: somebody removed the file meanwhile

  std::string path_;
  std::string lock_path_;
  descriptor file_;
};

}  // namespace harrier::detail
