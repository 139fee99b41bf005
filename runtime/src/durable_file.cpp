// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/durable_file.hpp>

#include <harrier/checkpoint_error.hpp>
#include <harrier/detail/crc32c.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace harrier::detail {

namespace {

[[noreturn]] void fail(const char* call, const std::string& path, int error = errno) {
  throw std::system_error(error, std::generic_category(), std::string(call) + " " + path);
}

descriptor open_file(const std::string& path, int flags) {
  constexpr mode_t everybody = 0666;  // less the umask
  descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, everybody));
  if (!file.is_open()) {
    fail("open", path);
  }
  return file;
}

struct stat status_of(const descriptor& file, const std::string& path) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    fail("fstat", path);
  }
  return status;
}

void refuse_special(const descriptor& file, const std::string& path) {
  if (!S_ISREG(status_of(file, path).st_mode)) {
    fail("not a regular file:", path, EINVAL);
  }
}

void write_at(const descriptor& file, std::uint64_t at, std::string_view rest,
              const std::string& path) {
  while (!rest.empty()) {
    const ssize_t written = ::pwrite(file.get(), rest.data(), rest.size(), static_cast<off_t>(at));
    if (written < 0) {
      if (errno != EINTR) {
        fail("write", path);
      }
      continue;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
}

/// Reads up to `buffer.size()` bytes; fewer only at the end.
std::size_t read_at(const descriptor& file, std::uint64_t at, std::string& buffer,
                    const std::string& path) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::pread(file.get(), buffer.data() + filled, buffer.size() - filled,
                                static_cast<off_t>(at + filled));
    if (got == 0) {
      break;
    }
    if (got < 0 && errno != EINTR) {
      fail("read", path);
    }
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return filled;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// The names in the directory survive a loss of power.
void sync_directory(const std::string& path) {
  const descriptor directory = open_file(path, O_RDONLY | O_DIRECTORY);
  // EINVAL: a file system that knows no such thing
  if (::fsync(directory.get()) != 0 && errno != EINVAL) {
    fail("fsync", path);
  }
}

}  // namespace

descriptor::descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

descriptor::~descriptor() {
  if (is_open()) {
    ::close(fd_);
  }
}

std::optional<std::string> read_file(const std::string& path) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.is_open()) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    fail("open", path);
  }
  refuse_special(file, path);
  std::string bytes(static_cast<std::size_t>(status_of(file, path).st_size), '\0');
  bytes.resize(read_at(file, 0, bytes, path));
  return bytes;
}

void replace_file(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  try {
    const descriptor file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    write_at(file, 0, bytes, temporary);
    if (::fsync(file.get()) != 0) {
      fail("fsync", temporary);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      fail("rename", temporary);
    }
  } catch (...) {
    ::unlink(temporary.c_str());  // what it holds may be what a full disk lacks
    throw;
  }
  sync_directory(directory_of(path));
}

appended_file::appended_file(const std::string& path, if_missing then)
    : path_(path), file_(open_file(path, O_RDWR | (then == if_missing::make ? O_CREAT : 0))) {
  refuse_special(file_, path_);
  sync_directory(directory_of(path_));
}

bool appended_file::truncate(std::uint64_t bytes, std::uint32_t crc) {
  constexpr std::size_t most_at_once = std::size_t{1} << 18;
  std::string buffer;
  std::uint32_t sum = 0;
  for (std::uint64_t at = 0; at < bytes; at += buffer.size()) {
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(bytes - at, most_at_once)));
    if (read_at(file_, at, buffer, path_) != buffer.size()) {
      return false;
    }
    sum = crc32c(sum, buffer);
  }
  if (sum != crc) {
    return false;
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0) {
    fail("ftruncate", path_);
  }
  bytes_ = bytes;
  crc_ = crc;
  return true;
}

void appended_file::append(std::string_view text) {
  write_at(file_, bytes_, text, path_);
  bytes_ += text.size();
  crc_ = crc32c(crc_, text);
}

void appended_file::rename(const std::string& path) {
  if (::rename(path_.c_str(), path.c_str()) != 0) {
    fail("rename", path_);
  }
  path_ = path;
}

void appended_file::sync() {
  if (sync_error_ == 0 && ::fdatasync(file_.get()) != 0) {
    sync_error_ = errno;
  }
  if (sync_error_ != 0) {
    fail("fdatasync", path_, sync_error_);
  }
}

file_lock::file_lock(const std::string& path) : path_(path), lock_path_(path + ".lock") {
  while (!try_lock()) {
  }
  const std::string owner = std::to_string(::getpid()) + "\n";
  // Only for whoever is refused: the lock itself holds on a full disk, too.
  if (::ftruncate(file_.get(), 0) == 0) {
    [[maybe_unused]] const auto written = ::pwrite(file_.get(), owner.data(), owner.size(), 0);
  }
}

bool file_lock::try_lock() {
  file_ = open_file(lock_path_, O_RDWR | O_CREAT);
  while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      constexpr std::size_t longest_number = 20;
      std::string owner(longest_number, '\0');
      owner.resize(read_at(file_, 0, owner, lock_path_));
      owner.resize(std::min(owner.size(), owner.find('\n')));
      throw checkpoint_error(checkpoint_refusal::in_use, path_,
                             "is in use by process " + (owner.empty() ? "?" : owner));
    }
    if (errno != EINTR) {
      fail("flock", lock_path_);
    }
  }
  struct stat named{};
  const struct stat held = status_of(file_, lock_path_);
  return ::stat(lock_path_.c_str(), &named) == 0 && named.st_ino == held.st_ino &&
         named.st_dev == held.st_dev;
}

file_lock::~file_lock() { ::unlink(lock_path_.c_str()); }

}  // namespace harrier::detail
