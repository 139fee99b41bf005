// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include "terminal.hpp"

#include <algorithm>
#include <cstdlib>

namespace harrier::cli {

namespace {

bool is_styled() {
  const char* const no_color = std::getenv("NO_COLOR");
  return is_output_terminal() && (no_color == nullptr || *no_color == '\0');
}

std::string styled(const char* start, const std::string& text) {
  if (text.empty() || !is_styled()) return text;
  return start + text + "\x1b[0m";
}

std::string blanks_to(const std::string& text, std::size_t columns) {
  const auto is_character_start = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  };
  const auto width =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_character_start));
  return std::string(columns > width ? columns - width : 0, ' ');
}

}  // namespace

std::string bold(const std::string& text) { return styled("\x1b[1m", text); }

std::string dim(const std::string& text) { return styled("\x1b[2m", text); }

std::string pad_left(const std::string& text, std::size_t columns) {
  return blanks_to(text, columns) + text;
}

std::string pad_right(const std::string& text, std::size_t columns) {
  return text + blanks_to(text, columns);
}

report::report(const std::string& heading) : text_(bold(heading) + "\n\n") {}

void report::row(const std::string& name, const std::string& value, const std::string& remark) {
  text_ += "  " + pad_right(name, 18) + pad_left(value, 12);
  if (!remark.empty()) text_ += "   " + dim(remark);
  text_ += "\n";
}

}  // namespace harrier::cli
