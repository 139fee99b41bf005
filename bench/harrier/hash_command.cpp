// SPDX-License-Identifier: Apache-2.0
#include "hash_command.hpp"

#include "count_argument.hpp"
#include "exit_status.hpp"
#include "tree_hash.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace harrier::cli {

namespace {

constexpr const char* footer =
    R"(One coroutine for each regular file; a PATH that is a directory stands for all of
them in its tree. The output is what sha256sum prints, byte for byte, so
sha256sum -c verifies it.

Order: the PATHs as given; within a tree that of `LC_ALL=C sort` on the paths.
Symbolic links in a tree are skipped; a PATH that is one is followed.
Names: those with a backslash, newline or carriage return are escaped as coreutils
does, with a backslash at the start of the line.
Memory: bounded by the largest directory, whatever the size of the tree.
A file or directory that cannot be read gets a message on standard error; the rest
is still done. When standard output is closed (`| head`), it ends quietly.

JSON fields: files (an array of path, sha256, bytes, in order), errors (of path,
message; the first 1000), file_count, error_count, bytes, seconds, workers,
peak_rss_bytes. A path that is not UTF-8 has U+FFFD in the place of what is not, and
its bytes in path_hex.

Examples:
  harrier hash /usr/include
  harrier hash src README.md | sha256sum -c --quiet
  harrier hash --json . | jq .bytes

Exit status: 0 all hashed, 1 something could not be read or written, 2 bad
arguments; 141, or the signal SIGPIPE, when standard output was closed.)";

}  // namespace

void add_hash_command(CLI::App& program, std::function<int()>& chosen) {
  auto* const command =
      program.add_subcommand("hash", "Hash files and trees, one coroutine for each file");
  const auto options = std::make_shared<hash_options>();
  command->add_option("PATH", options->paths, "Files and directories")->required();
  command->add_option("--workers,-w", options->workers, "How many worker threads")
      ->type_name("N")
      ->transform(count_between(1, max_workers))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON object and nothing else");
  command->footer(footer);
  command->callback([options, &chosen] { chosen = [options] { return hash_paths(*options); }; });
}

}  // namespace harrier::cli
