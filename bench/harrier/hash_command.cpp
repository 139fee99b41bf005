// SPDX-License-Identifier: Apache-2.0
#include "hash_command.hpp"

#include "count_argument.hpp"
#include "duration_argument.hpp"
#include "limits.hpp"
#include "on_error_argument.hpp"
#include "tree_hash.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace harrier::cli {

namespace {

constexpr std::uint64_t most_window = 1'000'000;
constexpr std::uint64_t most_rate = 1'000'000;

constexpr const char* hash_footer =
    R"(One coroutine for each regular file; a PATH that is a directory stands for all of
them in its tree. The output is what sha256sum prints, byte for byte, so
sha256sum -c verifies it.

Order: the PATHs as given; within a tree that of `LC_ALL=C sort` on the paths.
Symbolic links in a tree are skipped; a PATH that is one is followed.
Names: those with a backslash, newline or carriage return are escaped as coreutils
does, with a backslash at the start of the line.
Memory: bounded by the largest directory, whatever the size of the tree.
A file or directory that cannot be read gets a message on standard error; the rest
is still done, unless --on-error says otherwise: `fail`, no file is begun after it; a
number or a share of all, such as 1%, so many are no failure, and one more is as with
`fail`. --retry tries again after EIO, EAGAIN, ESTALE, ETIMEDOUT, EMFILE, ENFILE and
ENOMEM, each time after twice the wait. When standard output is closed (`| head`), it
ends quietly.

Restarts: --checkpoint FILE keeps the digests in FILE.log and how much of it counts in
FILE, once a second unless told otherwise. The same command in the same directory goes on from there,
however it ended, and writes what it would have written without: files whose size or
time of modification changed are hashed again, vanished ones are dropped. A
checkpoint that is damaged, of other PATHs or in use by another process is refused.
It stays when all is done; remove FILE to start anew. Each record in the log costs 16
bytes of memory when the next run goes on. A run begins by compacting a log of more
than 64 KiB that mostly has records of files that changed or are gone.

SIGINT (Ctrl-C) begins no more files, ends those under way, and saves the checkpoint; a
second one stops at once.

Progress: `--progress json` prints an object a line to standard error, once a second
and at the end: hashed, reused, errors, bytes, seconds, done.

JSON fields: files (an array of path, sha256, bytes, in order), errors (of path,
message; the first 1000), file_count, error_count, bytes, seconds, workers,
peak_rss_bytes, and with --checkpoint reused_count. A path that is not UTF-8 has U+FFFD in the place of what is not, and
its bytes in path_hex.

Examples:
  harrier hash /usr/include
  harrier hash src README.md | sha256sum -c --quiet
  harrier hash --json . | jq .bytes
  harrier hash --checkpoint /tmp/home.c --output /tmp/home.sha256 ~

Exit status: 0 all hashed, or all but what --on-error tolerates, 1 something could not
be read or written, 2 bad arguments, 124 the deadline came first, 130 interrupted; 141,
or the signal SIGPIPE, when standard output was closed.)";

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
  command->add_option("--output,-o", options->output, "Where to write, complete or not at all")
      ->type_name("FILE")
      ->default_str("standard output");
  command
      ->add_option("--checkpoint", options->checkpoint,
                   "Keep what is done here, and go on from there")
      ->type_name("FILE")
      ->needs("--output");
  add_duration_option(*command, "--checkpoint-every", options->checkpoint_interval,
                      "How often to save the checkpoint")
      ->needs("--checkpoint")
      ->default_str("1s");
  command->add_option("--window", options->window, "How many files are under way at once")
      ->type_name("N")
      ->transform(count_between(1, most_window))
      ->capture_default_str();
  add_duration_option(*command, "--deadline", options->deadline, "When to stop beginning files");
  command->add_option("--retry", options->retries, "How often to try again what may pass")
      ->type_name("N")
      ->transform(count_between(0, most_retries))
      ->capture_default_str();
  command->add_option("--rate", options->files_per_second, "At most this many files a second")
      ->type_name("N")
      ->transform(count_between(1, most_rate));
  add_on_error_option(*command, options->errors, "What files mean that cannot be read")
      ->default_str("collect");
  add_progress_option(*command, options->progress);
  command->add_flag("--json", options->json, "Print one JSON object and nothing else");
  command->footer(hash_footer);
  command->callback([options, &chosen] { chosen = [options] { return hash_paths(*options); }; });
}

}  // namespace harrier::cli
