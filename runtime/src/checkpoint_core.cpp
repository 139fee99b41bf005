// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/checkpoint_core.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <utility>

namespace harrier::detail {

namespace {

// A lane with more ranges than this is merged into the set by its worker: what waits stays small.
constexpr std::size_t most_ranges = 4096;
// With more output than this a save does not wait for its interval.
constexpr std::size_t urgent_output_bytes = std::size_t{4} << 20;

/// Where the file is whatever the working directory becomes; of a link, what it points to, since
/// replacing the file must not replace the link.
std::string resolved(const std::string& path) {
  return std::filesystem::weakly_canonical(path).string();
}

}  // namespace

checkpoint_core::checkpoint_core(const std::string& path, batch_identity of,
                                 checkpoint_options options)
    : path_(resolved(path)),
      options_(std::move(options)),
      output_path_(options_.output.empty() ? "" : resolved(options_.output)),
      replacement_path_(output_path_ + ".replacement"),
      lock_(path_) {
  saved_.name = std::move(of.name);
  saved_.total = of.total;
  saved_.seed = of.seed;
  saved_.fingerprint = of.fingerprint;
  std::optional<checkpoint_contents> before;
  if (const auto bytes = read_file(path_)) {
    before = decode_checkpoint(*bytes, path_);
    refuse_other_batch(*before);
  }
  if (before) {
    resume(*before);
  } else if (!output_path_.empty()) {
    output_.emplace(output_path_, appended_file::if_missing::make);
    output_->truncate(0, 0);
  }
}

void checkpoint_core::refuse_other_batch(const checkpoint_contents& before) const {
  const auto refuse = [this](const std::string& what, const std::string& theirs,
                             const std::string& ours) {
    throw checkpoint_error(checkpoint_refusal::other_batch, path_,
                           "is of another batch: its " + what + " is " + theirs + ", not " + ours);
  };
  if (before.name != saved_.name) {
    refuse("name", before.name, saved_.name);
  }
  if (before.total != saved_.total) {
    refuse("total", std::to_string(before.total), std::to_string(saved_.total));
  }
  if (before.seed != saved_.seed) {
    refuse("seed", std::to_string(before.seed), std::to_string(saved_.seed));
  }
  if (before.fingerprint != saved_.fingerprint) {
    refuse("fingerprint", std::to_string(before.fingerprint), std::to_string(saved_.fingerprint));
  }
}

void checkpoint_core::resume(const checkpoint_contents& before) {
  const auto refuse = [this](const std::string& reason) {
    throw checkpoint_error(checkpoint_refusal::other_output, path_, reason);
  };
  if (options_.output.empty()) {
    if (before.output_bytes != 0) {
      refuse("was written with an output, and none was given");
    }
  } else {
    if (!std::filesystem::exists(options_.output)) {
      refuse("has lost its output: there is no " + options_.output);
    }
    output_.emplace(output_path_, appended_file::if_missing::fail);
    if (output_->truncate(before.output_bytes, before.output_crc)) {
      remove_replacement();  // of a process that was killed before it counted
    } else if (!take_replacement(before)) {
      refuse("does not fit its output " + options_.output + ": its first " +
             std::to_string(before.output_bytes) + " bytes are not what was written");
    }
  }
  saved_ = before;
  finished_ = before.finished;
  is_resumed_ = true;
}

checkpoint_core::~checkpoint_core() {
  {
    const std::scoped_lock guard(mutex_);
    is_closing_ = true;
    changed_.notify_all();
  }
  if (saver_.joinable()) {
    saver_.join();
  }
  is_failing_.store(false, std::memory_order_relaxed);  // the last failure is always reported
  save_and_report();
}

index_set checkpoint_core::begin(std::uint64_t total, std::size_t /*slots*/) {
  if (total != saved_.total) {
    throw std::invalid_argument("dispatch: the batch has " + std::to_string(total) +
                                " items, its checkpoint is of one with " +
                                std::to_string(saved_.total));
  }
  const std::scoped_lock guard(mutex_);
  start_saving();
  collect_all();
  return finished_;
}

void checkpoint_core::completed(std::size_t slot, index_range items) noexcept {
  lane& at = lane_of(slot);
  bool is_full = false;
  {
    const std::scoped_lock guard(at.mutex);
    is_full = keep(at, items);
  }
  collect_if(is_full, at);
}

void checkpoint_core::open(std::size_t slot, completion_run& run) noexcept {
  lane& at = lane_of(slot);
  const std::scoped_lock guard(at.mutex);
  run.next = std::exchange(at.open, &run);
}

void checkpoint_core::move(std::size_t slot, completion_run& run, std::uint64_t index) noexcept {
  lane& at = lane_of(slot);
  bool is_full = false;
  {
    const std::scoped_lock guard(at.mutex);
    is_full = keep(at, run.items());
    run.restart(index);
  }
  collect_if(is_full, at);
}

void checkpoint_core::close(std::size_t slot, completion_run& run) noexcept {
  lane& at = lane_of(slot);
  bool is_full = false;
  {
    const std::scoped_lock guard(at.mutex);
    completion_run** link = &at.open;
    while (*link != &run) {  // one or two: a coroutine that helps may run chunks inside a chunk
      link = &(*link)->next;
    }
    *link = run.next;
    is_full = keep(at, run.items());
  }
  collect_if(is_full, at);
}

/// Under the lane's mutex. True: it has much to hand over.
bool checkpoint_core::keep(lane& at, index_range items) noexcept {
  if (items.empty()) {
    return false;
  }
  if (!at.ranges.empty() && at.ranges.back().last == items.first) {
    at.ranges.back().last = items.last;
    return false;
  }
  try {
    at.ranges.push_back(items);
  } catch (const std::bad_alloc&) {
    return false;  // what is not recorded is done again by the next run, which is right, only slower
  }
  return at.ranges.size() >= most_ranges;
}

void checkpoint_core::collect_if(bool is_full, lane& from) noexcept {
  if (!is_full) {
    return;
  }
  try {
    const std::scoped_lock guard(mutex_);
    collect(from);
  } catch (const std::bad_alloc&) {  // as above
  }
}

void checkpoint_core::collect(lane& from) {
  std::vector<index_range> taken;
  {
    const std::scoped_lock guard(from.mutex);
    for (const completion_run* run = from.open; run != nullptr; run = run->next) {
      keep(from, run->items());  // what it has by now; it will tell of that again
    }
    taken.swap(from.ranges);
  }
  if (!taken.empty()) {
    finished_.insert(taken);
  }
}

void checkpoint_core::collect_all() {
  for (lane& each : lanes_) {
    collect(each);
  }
}

void checkpoint_core::refuse_beyond_total(const char* call, index_range items) const {
  if (items.last > saved_.total) {
    throw std::out_of_range("checkpoint::" + std::string(call) + ": item " +
                            std::to_string(items.last - 1) + " of " + std::to_string(saved_.total));
  }
}

void checkpoint_core::finish(index_range items, std::string_view output) {
  refuse_beyond_total("finish", items);
  if (!output.empty() && options_.output.empty()) {
    throw std::logic_error("checkpoint::finish: with output, but the checkpoint has none");
  }
  const std::scoped_lock guard(mutex_);
  start_saving();
  waiting_output_.reserve(waiting_output_.size() + output.size());  // whole, or not at all
  finished_.insert(items);
  waiting_output_ += output;
  if (waiting_output_.size() >= urgent_output_bytes && !is_urgent_) {
    is_urgent_ = true;
    changed_.notify_all();
  }
}

index_set checkpoint_core::finished() {
  const std::scoped_lock guard(mutex_);
  collect_all();
  return finished_;
}

std::uint64_t checkpoint_core::output_bytes() {
  const std::scoped_lock guard(save_mutex_);
  return saved_.output_bytes;
}

void checkpoint_core::save() {
  const std::scoped_lock saving(save_mutex_);
  std::string output;
  {
    const std::scoped_lock guard(mutex_);
    collect_all();
    if (is_resumed_ || saves() != 0) {
      if (finished_ == saved_.finished && waiting_output_.empty()) {
        return;
      }
    }
    saved_.finished = finished_;
    output.swap(waiting_output_);
    is_urgent_ = false;
  }
  try {
    write(std::move(output));
  } catch (...) {
    saved_.finished = index_set();  // nobody knows what is on disk: the next save writes
    failed_saves_.fetch_add(1, std::memory_order_relaxed);
    throw;
  }
  saves_.fetch_add(1, std::memory_order_relaxed);
  is_failing_.store(false, std::memory_order_relaxed);  // hint: who reports holds save_mutex_ never
}

void checkpoint_core::write(std::string output) {
  if (output_) {
    try {
      output_->append(output);
    } catch (...) {
      const std::scoped_lock guard(mutex_);
      output += waiting_output_;  // in front of what came meanwhile
      waiting_output_.swap(output);
      throw;
    }
    output_->sync();
    saved_.output_bytes = output_->bytes();
    saved_.output_crc = output_->crc();
  }
  replace_file(path_, encode_checkpoint(saved_));
}

void checkpoint_core::start_saving() {
  if (!saver_.joinable() && options_.interval > duration::zero()) {
    saver_ = std::thread([this] { keep_saving(); });
  }
}

void checkpoint_core::keep_saving() {
  for (;;) {
    {
      std::unique_lock guard(mutex_);
      changed_.wait_until(guard,
                          deadline_after(std::chrono::steady_clock::now(), options_.interval),
                          [this] { return is_closing_ || is_urgent_; });
      if (is_closing_) {
        return;
      }
      is_urgent_ = false;
    }
    save_and_report();
  }
}

void checkpoint_core::save_and_report() noexcept {
  try {
    save();
  } catch (const std::exception& error) {
    if (!is_failing_.exchange(true, std::memory_order_relaxed)) {  // told once; publishes nothing
      report("checkpoint " + path_ + " was not saved, and the batch goes on: " + error.what());
    }
  }
}

void checkpoint_core::report(const std::string& message) noexcept {
  if (options_.error_handler) {
    options_.error_handler(message);
  } else {
    std::fprintf(stderr, "harrier: %s\n", message.c_str());
  }
}

}  // namespace harrier::detail
