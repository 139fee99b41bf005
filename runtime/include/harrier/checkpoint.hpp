// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/checkpoint_error.hpp>
#include <harrier/clock.hpp>
#include <harrier/dispatch_options.hpp>
#include <harrier/index_set.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace harrier {

namespace detail {
class checkpoint_core;
}

/// What makes two runs runs of the same batch. A checkpoint is refused unless all of it is the same.
class batch_identity {
 public:
  /// The total of a batch whose items nobody has counted.
  static constexpr std::uint64_t unbounded = std::numeric_limits<std::uint64_t>::max();

  batch_identity(std::string batch_name, std::uint64_t items)
      : name(std::move(batch_name)), total(items) {}

  batch_identity& with_seed(std::uint64_t of) {
    seed = of;
    return *this;
  }
  /// Whatever else the results depend on, as one number: the version of the program, its arguments,
  /// a checksum of the input.
  batch_identity& with_fingerprint(std::uint64_t of) {
    fingerprint = of;
    return *this;
  }

  std::string name;
  std::uint64_t total;
  std::uint64_t seed = 0;
  std::uint64_t fingerprint = 0;
};

/// How a checkpoint is kept.
class checkpoint_options {
 public:
  checkpoint_options() {}

  /// The file to which finish() appends.
  checkpoint_options& with_output(std::string path) {
    output = std::move(path);
    return *this;
  }
  /// How often what is new is saved; zero: only by save() and at the end.
  checkpoint_options& every(duration time) {
    interval = time;
    return *this;
  }
  /// Told in words of a save that failed, once until one succeeds; by default it is printed to stderr.
  checkpoint_options& on_error(std::function<void(const std::string&)> handler) {
    error_handler = std::move(handler);
    return *this;
  }

  std::string output;
  duration interval = std::chrono::seconds(1);
  std::function<void(const std::string&)> error_handler;
};

/// Which items of a batch are finished, in a file from which a later run goes on. A process that is
/// killed, at any point, loses at most what it did in the last interval, and what is in the checkpoint
/// is never done again.
///
/// Threads   any, all at once.
/// Order     output first: what finish() was given is on disk before the item is in the checkpoint. The
///           checkpoint holds the length of the output, and a resumed run cuts the output back to it.
/// Lifetime  a batch dispatched with it keeps it open until the batch is done. Whoever closes it last
///           saves, and reports what fails.
/// Errors    checkpoint_error: the file is not a checkpoint of this batch, or in use; std::system_error:
///           it cannot be read or written. Nothing on disk was changed then. A save that fails later
///           is reported and tried again after the next interval; the batch goes on.
/// Cost      an item that ends in order on its worker costs a store, one that does not a lock that nobody
///           else wants; a thread of its own saves. Files beside it: `path`.lock with the number of
///           the process that has it open, for a moment `path`.tmp; while replace_output() works,
///           the output's name with .replacement behind it.
/// Example   docs/batch.md
class HARRIER_EXPORT checkpoint {
 public:
  /// Opens the checkpoint at `path` or, if there is none, starts one.
  checkpoint(const std::string& path, batch_identity of, checkpoint_options options = {});
  checkpoint(const checkpoint&) = delete;
  checkpoint& operator=(const checkpoint&) = delete;
  ~checkpoint();

  /// There was a checkpoint at `path`.
  bool is_resumed() const noexcept;
  /// The items that are finished by now, saved or not.
  index_set finished() const;
  /// The length of the output as of the last save.
  std::uint64_t output_bytes() const;

  /// Says that an item is finished, and appends `output` to the output in the same moment: a
  /// checkpoint has both or neither. The order in the output is that of the calls. Items of a batch
  /// with this checkpoint need not call it, unless they have output.
  void finish(std::uint64_t index, std::string_view output = {});
  void finish(index_range items, std::string_view output = {});

  /// Appends to the new output.
  using output_sink = std::function<void(std::string_view)>;
  /// Puts a new output and a new set of finished items in the place of both: for an output of which
  /// parts no longer count. `write` hands the new output to the sink it is given, and returns what is
  /// finished in it; it may read the old output, but calls nothing of the checkpoint.
  ///
  /// Threads   not while items end; what was finished before is saved first.
  /// Order     whenever the process or the machine stops, the next run has both old ones or both new ones.
  /// Errors    what `write` throws; std::system_error: it could not be written; std::logic_error: there is
  ///           no output, an item is none of the batch's, or one was finished meanwhile. The old ones
  ///           stay, and it goes on with them.
  void replace_output(const std::function<index_set(const output_sink&)>& write);

  /// Saves now. Throws std::system_error: nothing is lost, and the next save has it all.
  void save();
  /// How many times it was saved, and how many times that failed.
  std::uint64_t saves() const noexcept;
  std::uint64_t failed_saves() const noexcept;

 private:
  friend class dispatch_options;

  std::shared_ptr<detail::checkpoint_core> core_;
};

}  // namespace harrier
