// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include "exit_status.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace harrier::cli {

namespace {

constexpr std::size_t buffer_limit_bytes = 64 * 1024;

// _Exit: destructors would wait for files that are still being read.
[[noreturn]] void give_up(int error) {
  if (error == EPIPE) std::_Exit(exit_closed_pipe);
  std::fprintf(stderr, "harrier: write error: %s\n", std::strerror(error));
  std::_Exit(exit_failure);
}

}  // namespace

void output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= buffer_limit_bytes) flush();
}

void output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const auto written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) give_up(errno);
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

}  // namespace harrier::cli
