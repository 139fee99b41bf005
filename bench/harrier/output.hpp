// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/durable_file.hpp>

#include <string>
#include <string_view>

namespace harrier::cli {

/// Standard output or a file, buffered, for one thread. A file appears when it is complete, in the
/// place of an earlier one; until then it is `PATH.tmp`.
///
/// Errors    a closed pipe ends the program quietly, as SIGPIPE does when it is not ignored; any
///           other failure ends it with a message and exit_failure. Either ends it at once: what is
///           still being computed has no reader.
class output {
 public:
  /// Standard output.
  output() {}
  /// The file at `path`; standard output if it is empty.
  explicit output(const std::string& path);
  /// Nothing is flushed here: an unwinding command has no complete output.
  ~output();
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  void write(std::string_view text);
  void flush();
  /// Everything was written: puts a file in its place, on disk.
  void commit();

 private:
  [[noreturn]] void give_up(int error);

  std::string path_;
  std::string temporary_;  // empty once it is in its place, and for what is no regular file
  harrier::detail::descriptor file_;
  std::string buffer_;
};

}  // namespace harrier::cli
