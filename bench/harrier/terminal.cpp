// SPDX-License-Identifier: Apache-2.0
#include "terminal.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <string_view>

namespace harrier::cli {

namespace {

bool is_capable_terminal(int fd) noexcept {
  const char* const kind = std::getenv("TERM");
  return ::isatty(fd) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

bool is_output_terminal() noexcept { return is_capable_terminal(STDOUT_FILENO); }

bool is_error_terminal() noexcept { return is_capable_terminal(STDERR_FILENO); }

std::size_t error_terminal_columns() noexcept {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool is_locale_utf8() {
  std::setlocale(LC_CTYPE, "");
  return std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
}

}  // namespace harrier::cli
