// SPDX-License-Identifier: Apache-2.0
// A new output in the place of a checkpoint's old one: two files that change at one moment.
#include <harrier/detail/checkpoint_core.hpp>

#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace harrier::detail {

/// False: no process was killed between the replacing of the checkpoint and that of its output.
bool checkpoint_core::take_replacement(const checkpoint_contents& before) {
  if (!std::filesystem::exists(replacement_path_)) {
    return false;
  }
  appended_file fresh(replacement_path_, appended_file::if_missing::fail);
  if (!fresh.truncate(before.output_bytes, before.output_crc)) {
    return false;
  }
  fresh.rename(output_path_);
  output_ = std::move(fresh);
  return true;
}

void checkpoint_core::replace_output(
    const std::function<index_set(const checkpoint::output_sink&)>& write) {
  if (output_path_.empty()) {
    throw std::logic_error("checkpoint::replace_output: the checkpoint has no output");
  }
  save();
  const std::scoped_lock saving(save_mutex_);
  checkpoint_contents next = saved_;
  std::string bytes;
  try {
    appended_file fresh(replacement_path_, appended_file::if_missing::make);
    fresh.truncate(0, 0);
    next.finished = write([&fresh](std::string_view text) { fresh.append(text); });
    if (!next.finished.empty()) {
      refuse_beyond_total("replace_output", next.finished.ranges().back());
    }
    fresh.sync();
    next.output_bytes = fresh.bytes();
    next.output_crc = fresh.crc();
    bytes = encode_checkpoint(next);
    expect_nothing_new();
    replace_file(path_, bytes);
    fresh.rename(output_path_);
    output_ = std::move(fresh);
  } catch (...) {
    undo_replacement(bytes);
    throw;
  }
  saved_.output_bytes = next.output_bytes;
  saved_.output_crc = next.output_crc;
  saved_.finished = next.finished;
  const std::scoped_lock guard(mutex_);
  finished_ = std::move(next.finished);
}

void checkpoint_core::expect_nothing_new() {
  const std::scoped_lock guard(mutex_);
  collect_all();
  if (finished_ != saved_.finished || !waiting_output_.empty()) {
    throw std::logic_error("checkpoint::replace_output: an item was finished meanwhile");
  }
}

/// Under save_mutex_. What failed may have been the last step of replacing the checkpoint, so that
/// `written` is on disk. If this fails, too, the replacement stays: either the next save is of the old
/// output again, or the next run takes the new one.
void checkpoint_core::undo_replacement(const std::string& written) {
  const checkpoint_contents old = saved_;
  saved_.finished = index_set();  // nobody knows what is on disk: the next save writes
  if (read_file(path_) == written) {
    replace_file(path_, encode_checkpoint(old));
  }
  remove_replacement();
  saved_.finished = old.finished;
}

void checkpoint_core::remove_replacement() const noexcept {
  std::error_code nobody_cares;  // it is only in the way
  std::filesystem::remove(replacement_path_, nobody_cares);
}

}  // namespace harrier::detail
