// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace harrier::cli {

/// A heading and rows of name, value and remark, aligned. On a terminal the heading is bold and the
/// remarks are dim, unless NO_COLOR is set.
class report {
 public:
  explicit report(const std::string& heading);

  void row(const std::string& name, const std::string& value, const std::string& remark);
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// The text as it is on standard output: with the terminal's bold or dim, or plain.
std::string bold(const std::string& text);
std::string dim(const std::string& text);

/// Blanks to the left or right of `text` until it is `columns` wide; UTF-8 characters count as one.
std::string pad_left(const std::string& text, std::size_t columns);
std::string pad_right(const std::string& text, std::size_t columns);

}  // namespace harrier::cli
