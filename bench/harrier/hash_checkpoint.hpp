// SPDX-License-Identifier: Apache-2.0
// What `harrier hash --checkpoint FILE` has hashed so far, for the run that goes on.
//
// The digests are in FILE.log, a record for each file in the order in which they were done: digest,
// size, time of modification, path. FILE says how much of the log counts. A file is known if the log has
// its path with the size and time that it has now, so one that changed is hashed again, and one that
// vanished is never asked for.
//
// Threads     add() any; find() one at a time.
// Memory      16 bytes for each record of earlier runs; the records themselves stay in the log.
// Rejected    the manifest itself as the log, in order: then a long file would keep what was done after
//             it out of the checkpoint, and a change in the middle could not be put in its place.
#pragma once

#include <harrier/checkpoint.hpp>
#include <harrier/detail/durable_file.hpp>

#include "file_digest.hpp"
#include "file_source.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace harrier::cli {

class hash_checkpoint {
 public:
  /// Throws harrier::checkpoint_error when it is not of a run with these arguments in this directory;
  /// std::system_error when it cannot be read or written. The output is not the
  /// caller's to choose.
  hash_checkpoint(const std::string& path, const std::vector<std::string>& arguments,
                  checkpoint_options options);

  /// The digest of a file that has not changed since it was hashed.
  std::optional<file_digest> find(const found_file& file);
  /// Keeps a digest, unless the file changed meanwhile or is no regular one.
  void add(const file_digest& digest);
  /// How many files it has.
  std::uint64_t size() const;

 private:
  struct entry {
    std::uint64_t path_hash;
    std::uint64_t offset;  // of the record
  };

  void read_log();
  std::optional<file_digest> read_record(std::uint64_t offset, const std::string& path) const;

  checkpoint kept_;
  std::string log_path_;
  harrier::detail::descriptor log_;
  std::vector<entry> known_;  // sorted
  mutable std::mutex mutex_;
  std::uint64_t records_ = 0;  // guarded by mutex_
};

}  // namespace harrier::cli
