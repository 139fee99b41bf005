// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include "exit_status.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace harrier::cli {

namespace {

constexpr std::size_t buffer_limit_bytes = 64 * 1024;

bool is_special(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

output::output(const std::string& path) : path_(path) {
  if (path_.empty()) return;
  constexpr mode_t everybody = 0666;  // less the umask
  if (!is_special(path_)) temporary_ = path_ + ".tmp";
  const auto& name = temporary_.empty() ? path_ : temporary_;
  file_ = harrier::detail::descriptor(
      ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, everybody));
  if (!file_.is_open()) give_up(errno);
}

output::~output() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

// _Exit: destructors would wait for files that are still being read.
void output::give_up(int error) {
  if (error == EPIPE) std::_Exit(exit_closed_pipe);
  if (!temporary_.empty() && file_.is_open()) ::unlink(temporary_.c_str());
  std::fprintf(stderr, "harrier: %s: %s\n", path_.empty() ? "write error" : path_.c_str(),
               std::strerror(error));
  std::_Exit(exit_failure);
}

void output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= buffer_limit_bytes) flush();
}

void output::flush() {
  const int fd = file_.is_open() ? file_.get() : STDOUT_FILENO;
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const auto written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) give_up(errno);
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

void output::commit() {
  flush();
  if (temporary_.empty()) return;
  if (::fsync(file_.get()) != 0) give_up(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) give_up(errno);
  temporary_.clear();
}

}  // namespace harrier::cli
