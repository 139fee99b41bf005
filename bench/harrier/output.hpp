// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace harrier::cli {

/// Standard output, buffered, for one thread.
///
/// Errors    a closed pipe ends the program quietly, as SIGPIPE does when it is not ignored; any
///           other failure ends it with a message and exit_failure. Either ends it at once: what is
///           still being computed has no reader.
class output {
 public:
  output() {}
  /// Nothing is flushed here: an unwinding command has no complete output.
  ~output() = default;
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  void write(std::string_view text);
  void flush();

 private:
  std::string buffer_;
};

}  // namespace harrier::cli
