// SPDX-License-Identifier: Apache-2.0
#include "file_digest.hpp"

#include "sha256.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace harrier::cli {

namespace {

class file_descriptor {
 public:
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

// One per blocking thread and kept: large enough that a system call is cheap beside hashing what it
// brought, small enough that all threads' buffers together stay a few megabytes.
constexpr std::size_t buffer_bytes = std::size_t{128} * 1024;

std::vector<unsigned char>& read_buffer() {
  thread_local std::vector<unsigned char> buffer(buffer_bytes);
  return buffer;
}

sha256& digester() {
  thread_local sha256 digest;
  return digest;
}

int open_to_read(const std::string& path, symlinks links) {
  const int no_follow = links == symlinks::refuse ? O_NOFOLLOW : 0;
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | no_follow);
}

file_identity identity_of(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? file_identity(status) : file_identity();
}

ssize_t read_some(int fd, std::vector<unsigned char>& buffer) {
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

file_digest hash_file(std::string path, symlinks links, std::atomic<std::uint64_t>& bytes_read) {
  file_digest result;
  result.path = std::move(path);
  const file_descriptor file(open_to_read(result.path, links));
  if (file.get() < 0) {
    result.error = errno;
    return result;
  }
  result.identity = identity_of(file.get());
  auto& digest = digester();
  auto& buffer = read_buffer();
  for (;;) {
    const auto got = read_some(file.get(), buffer);
    if (got < 0) result.error = errno;
    if (got <= 0) break;
    digest.update(buffer.data(), static_cast<std::size_t>(got));
    result.bytes += static_cast<std::uint64_t>(got);
    bytes_read.fetch_add(static_cast<std::uint64_t>(got),
                         std::memory_order_relaxed);  // counter only
  }
  result.sha256_hex = digest.finish();
  result.is_lasting =
      result.error == 0 && result.identity.is_regular && result.bytes == result.identity.bytes &&
      result.identity == identity_of(file.get()) && !result.identity.is_too_recent();
  return result;
}

}  // namespace harrier::cli
