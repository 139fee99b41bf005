// SPDX-License-Identifier: Apache-2.0
// What `harrier hash --checkpoint FILE` has hashed so far, for the run that goes on.
//
// The digests are in FILE.log, a record for each file in the order in which they were done: digest,
// size, time of modification, path. FILE says how much of the log counts. A file is known if the log has
// its path with the size and time that it has now, so one that changed is hashed again, and one that
// vanished is never asked for.
//
// A record is dead when its path has a newer one, or its file is gone or is not what it was. A run begins
// by writing the log anew without the dead ones if they are more than half of it. Whether they are is
// judged by a sample, and not below a size at which nobody cares.
//
// Threads     add() any; find() one at a time.
// Memory      16 bytes for each record of earlier runs, 8 more while the log is written anew; the records
//             themselves stay in the log.
// Rejected    to look at each record's file at each start: a quarter more time for a run that finds
//             nothing changed. To compact at the end, when the run knows without looking what lives: runs
//             that are always cut off would never do it.
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
  /// caller's to choose, and whom to tell of errors is.
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
  bool is_newest(std::size_t known) const;
  bool is_mostly_dead() const;
  std::vector<std::uint64_t> newest_records() const;
  std::uint64_t copy_live(const std::vector<std::uint64_t>& offsets,
                          const checkpoint::output_sink& append) const;
  bool compact(const checkpoint_options& options);
  std::string record_at(std::uint64_t offset) const;
  std::optional<file_digest> read_record(std::uint64_t offset, const std::string& path) const;

  checkpoint kept_;
  std::string log_path_;
  harrier::detail::descriptor log_;
  std::vector<entry> known_;  // by hash, then offset
  mutable std::mutex mutex_;
  std::uint64_t records_ = 0;  // guarded by mutex_
};

}  // namespace harrier::cli
