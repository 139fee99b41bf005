// SPDX-License-Identifier: Apache-2.0
// What a checkpoint does. Many handles share it: the user's and the running batch.
//
// Threads     workers tell of completed items, each to a lane of its own; anybody finishes items with
//             output; a thread of its own saves, as does whoever calls save().
// Protocol    a save: (1) collect the lanes, then (2) take the output that waits, both under mutex_;
//             (3) append and sync the output; (4) replace the checkpoint. An item's output is handed in
//             before its lane hears of it, so by (1) before (2) no item is saved without its output.
//             A new output: (1) write and sync it beside the old one; (2) replace the checkpoint: from
//             here on it is of the new one; (3) rename the new one. Who finds that the checkpoint does
//             not fit the output, but does fit what is beside it, makes up for (3).
// Rejected    appending in finish(): a worker would wait for the disk. Saving on a worker: the same.
#pragma once

#include <harrier/checkpoint.hpp>
#include <harrier/detail/checkpoint_format.hpp>
#include <harrier/detail/completion_recorder.hpp>
#include <harrier/detail/durable_file.hpp>
#include <harrier/detail/spin_mutex.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace harrier::detail {

class checkpoint_core final : public completion_recorder {
 public:
  checkpoint_core(const std::string& path, batch_identity of, checkpoint_options options);
  ~checkpoint_core() override;

  index_set begin(std::uint64_t total, std::size_t slots) override;
  void completed(std::size_t slot, index_range items) noexcept override;
  void open(std::size_t slot, completion_run& run) noexcept override;
  void move(std::size_t slot, completion_run& run, std::uint64_t index) noexcept override;
  void close(std::size_t slot, completion_run& run) noexcept override;

  void finish(index_range items, std::string_view output);
  void replace_output(const std::function<index_set(const checkpoint::output_sink&)>& write);
  void save();

  bool is_resumed() const noexcept { return is_resumed_; }
  index_set finished();
  std::uint64_t output_bytes();
  // counters only
  std::uint64_t saves() const noexcept { return saves_.load(std::memory_order_relaxed); }
  std::uint64_t failed_saves() const noexcept {
    return failed_saves_.load(std::memory_order_relaxed);
  }

 private:
  // More slots than lanes share them.
  static constexpr std::size_t lanes = 64;
  struct alignas(64) lane {
    spin_mutex mutex;
    std::vector<index_range> ranges;  // guarded by mutex
    completion_run* open =
        nullptr;  // guarded by mutex; may be in a set already, as far as it was then
  };

  void resume(const checkpoint_contents& before);
  bool take_replacement(const checkpoint_contents& before);
  void refuse_beyond_total(const char* call, index_range items) const;
  void expect_nothing_new();
  void undo_replacement(const std::string& written);
  void remove_replacement() const noexcept;
  void refuse_other_batch(const checkpoint_contents& before) const;
  lane& lane_of(std::size_t slot) noexcept { return lanes_[slot % lanes]; }
  static bool keep(lane& at, index_range items) noexcept;
  void collect_if(bool is_full, lane& from) noexcept;
  void collect(lane& from);
  void collect_all();
  void start_saving();
  void keep_saving();
  void save_and_report() noexcept;
  void write(std::string output);
  void report(const std::string& message) noexcept;

  // constant after construction
  const std::string path_;
  const checkpoint_options options_;
  const std::string output_path_;  // empty: no output
  const std::string replacement_path_;
  file_lock lock_;
  bool is_resumed_ = false;

  std::array<lane, lanes> lanes_;

  std::mutex save_mutex_;  // held while files are written; taken before mutex_
  std::optional<appended_file> output_;  // guarded by save_mutex_
  checkpoint_contents saved_;  // guarded by save_mutex_: what is on disk, or is to be

  std::mutex mutex_;  // never held while a file is touched
  std::condition_variable changed_;
  index_set finished_;  // guarded by mutex_, like all below
  std::string waiting_output_;
  bool is_urgent_ = false;  // much output waits
  bool is_closing_ = false;
  std::thread saver_;

  std::atomic<std::uint64_t> saves_{0};
  std::atomic<std::uint64_t> failed_saves_{0};
  std::atomic<bool> is_failing_{false};  // reported, and not saved since
};

}  // namespace harrier::detail
