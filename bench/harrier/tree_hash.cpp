// SPDX-License-Identifier: Apache-2.0
// Hashes many files at once and prints them in order.
//
// The main thread is ordinary code: it walks the tree, spawns a coroutine for each file it finds,
// and prints the oldest one's digest when the window is full. Each coroutine does its blocking
// calls on the elastic pool, so that the workers stay free. With a checkpoint, a coroutine hands its
// digest to it as soon as it has it, and files that are known already need no coroutine.
//
// Memory      one window of coroutines and digests, and what tree_walk and hash_checkpoint keep.
// Rejected    a batch over all files: it needs them listed before it starts.
#include "tree_hash.hpp"

#include "exit_status.hpp"
#include "file_digest.hpp"
#include "file_source.hpp"
#include "hash_checkpoint.hpp"
#include "hash_listing.hpp"
#include "hash_progress.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "peak_memory.hpp"
#include "terminal.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace harrier::cli {

namespace {

using steady = std::chrono::steady_clock;

// Hashing is mostly computing, reading from a cold disk mostly waiting.
constexpr std::size_t blocking_threads_per_worker = 4;

constexpr std::chrono::milliseconds first_retry_delay{50};

// A share of fewer files than that means little while there are more to come.
constexpr std::uint64_t early = 100;

/// What the coroutines share. Outlives the runtime that they run on.
class hash_context {
 public:
  hash_counters counters;
  std::unique_ptr<hash_checkpoint> kept;  // null: none
  std::uint64_t retries = 0;
  // Files that nobody has opened yet are left; hint: one more or less does not matter.
  std::atomic<bool> is_ending{false};
};

// What the next attempt may not meet.
bool is_passing(int error) {
  return error == EIO || error == EAGAIN || error == ESTALE || error == ETIMEDOUT ||
         error == EMFILE || error == ENFILE || error == ENOMEM;
}

file_digest not_begun(const std::string& path) {
  file_digest left;
  left.path = path;
  left.error = ECANCELED;
  return left;
}

task<file_digest> hash_one(found_file file, hash_context* context) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    auto work = [&file, context] {
      if (context->is_ending.load(std::memory_order_relaxed)) return not_begun(file.path);
      return hash_file(file.path, file.links, context->counters.bytes);
    };
    auto op = offload_blocking(std::move(work));
    auto digest = co_await op;
    if (digest.error == 0) {
      if (context->kept) context->kept->add(digest);
      context->counters.files.fetch_add(1, std::memory_order_relaxed);  // counter only
    }
    if (attempt == context->retries || !is_passing(digest.error)) co_return digest;
    co_await sleep_for(first_retry_delay *
                       (std::int64_t{1} << std::min<std::uint64_t>(attempt, 8)));
  }
}

runtime_options runtime_options_for(std::uint64_t workers) {
  runtime_options options;
  options.workers = workers;
  options.max_blocking_threads = workers * blocking_threads_per_worker;
  return options;
}

/// A file on its way: known already, or being hashed.
class pending_digest {
 public:
  explicit pending_digest(file_digest known) : known_(std::move(known)) {}
  explicit pending_digest(join_handle<file_digest> hashing) : hashing_(std::move(hashing)) {}

  bool is_ready() const { return known_ || hashing_->done(); }
  file_digest get() { return known_ ? std::move(*known_) : hashing_->get(); }

 private:
  std::optional<file_digest> known_;
  std::optional<join_handle<file_digest>> hashing_;
};

enum class ending { complete, interrupted, deadline, error };

class tree_hash {
 public:
  explicit tree_hash(const hash_options& options);

  int run();

 private:
  void open_checkpoint();
  void take_all();
  bool may_start();
  bool has_failed(std::uint64_t least) const;
  void wait_for_turn();
  pending_digest start(found_file file);
  void take_oldest();
  void report_error(const std::string& path, int error);
  void end_early(ending why);
  void write_end();
  int exit_status() const;

  const hash_options& options_;
  output out_;
  std::unique_ptr<checksum_listing> listing_;
  hash_totals totals_;
  hash_progress progress_;
  interrupt_watch interrupts_;  // before the checkpoint: whoever sees its lock may interrupt
  steady::time_point start_ = steady::now();
  steady::time_point next_turn_ = start_;
  ending ending_ = ending::complete;
  std::deque<pending_digest> window_;
  hash_context context_;
  runtime rt_;  // last: its end waits for the coroutines, which use what is above
};

tree_hash::tree_hash(const hash_options& options)
    : options_(options),
      out_(options.output),
      progress_(options.progress, options.output.empty() && is_output_terminal()),
      rt_(runtime_options_for(options.workers)) {
  if (options.json) {
    listing_ = std::make_unique<json_listing>(out_);
  } else {
    listing_ = std::make_unique<checksum_listing>(out_);
  }
  context_.retries = options.retries;
  if (!options.checkpoint.empty()) open_checkpoint();
}

void tree_hash::open_checkpoint() {
  checkpoint_options how;
  how.on_error([this](const std::string& message) { progress_.print("harrier: " + message); });
  if (options_.checkpoint_interval) how.every(*options_.checkpoint_interval);
  try {
    context_.kept = std::make_unique<hash_checkpoint>(options_.checkpoint, options_.paths, how);
  } catch (const checkpoint_error& error) {
    if (error.why() != checkpoint_refusal::other_batch) throw;
    throw std::runtime_error(std::string(error.what()) +
                             " (it was begun with other PATHs or in another directory)");
  }
  totals_.reused = 0;
}

int tree_hash::run() {
  progress_.start(rt_, context_.counters);
  take_all();
  write_end();
  rt_.stop();
  context_.kept.reset();
  progress_.end(context_.counters);
  return exit_status();
}

void tree_hash::take_all() {
  file_source source(options_.paths,
                     [this](const std::string& path, int error) { report_error(path, error); });
  while (may_start()) {
    auto file = source.next();
    if (!file) break;
    if (window_.size() == options_.window) take_oldest();
    window_.push_back(start(std::move(*file)));
  }
  while (!window_.empty()) {
    may_start();
    take_oldest();
  }
}

// False: for one reason or another, no file is begun any more.
bool tree_hash::may_start() {
  if (interrupts_.is_interrupted()) end_early(ending::interrupted);
  if (options_.deadline && steady::now() - start_ >= *options_.deadline) {
    end_early(ending::deadline);
  }
  if (has_failed(early)) end_early(ending::error);
  return ending_ == ending::complete;
}

// Whether more files have failed than are tolerated: as a share of those that were seen, `least` at
// least.
bool tree_hash::has_failed(std::uint64_t least) const {
  const error_policy& errors = options_.errors;
  if (!errors.cancels()) return false;
  if (!errors.is_share()) return totals_.errors > errors.most();
  const auto of = std::max(least, totals_.files + totals_.errors);
  return static_cast<double>(totals_.errors) > errors.share() * static_cast<double>(of);
}

void tree_hash::end_early(ending why) {
  if (ending_ == ending::complete) ending_ = why;
  context_.is_ending.store(true, std::memory_order_relaxed);
}

pending_digest tree_hash::start(found_file file) {
  if (context_.kept) {
    if (auto known = context_.kept->find(file)) {
      ++*totals_.reused;
      context_.counters.reused.fetch_add(1, std::memory_order_relaxed);  // counter only
      return pending_digest(std::move(*known));
    }
  }
  if (options_.files_per_second != 0) wait_for_turn();
  return pending_digest(rt_.spawn(hash_one(std::move(file), &context_)));
}

// Turns come at even distances; one that nobody took is not made up for.
void tree_hash::wait_for_turn() {
  constexpr std::chrono::milliseconds look_interval{20};
  while (steady::now() < next_turn_ && may_start()) {
    while (!window_.empty() && window_.front().is_ready()) take_oldest();
    out_.flush();
    std::this_thread::sleep_until(std::min(next_turn_, steady::now() + look_interval));
  }
  const std::chrono::nanoseconds distance(std::chrono::seconds(1));
  next_turn_ = std::max(next_turn_, steady::now()) +
               distance / static_cast<std::int64_t>(options_.files_per_second);
}

void tree_hash::take_oldest() {
  auto oldest = std::move(window_.front());
  window_.pop_front();
  if (!oldest.is_ready()) out_.flush();  // a reader of the pipe sees what there is while we wait
  const auto digest = oldest.get();
  if (digest.error == ECANCELED) return;
  if (digest.error != 0) return report_error(digest.path, digest.error);
  ++totals_.files;
  totals_.bytes += digest.bytes;
  listing_->add(digest);
}

void tree_hash::report_error(const std::string& path, int error) {
  const std::string message = std::strerror(error);
  ++totals_.errors;
  context_.counters.errors.fetch_add(1, std::memory_order_relaxed);  // counter only
  progress_.print("harrier: " + escaped_path(path) + ": " + message);
  listing_->add_error(path, message);
}

// A file gets its content when it is complete, and not before.
void tree_hash::write_end() {
  totals_.seconds = seconds_f(steady::now() - start_).count();
  totals_.workers = options_.workers;
  totals_.peak_rss_bytes = peak_rss_bytes();
  listing_->end(totals_);
  if (options_.output.empty()) return out_.flush();
  if (ending_ == ending::complete) out_.commit();
}

int tree_hash::exit_status() const {
  const char* const hint =
      options_.checkpoint.empty() ? "" : "; the same command goes on from the checkpoint";
  switch (ending_) {
    case ending::interrupted:
      std::fprintf(stderr, "harrier: interrupted%s\n", hint);
      return exit_interrupted;
    case ending::deadline:
      std::fprintf(stderr, "harrier: the deadline came before the end%s\n", hint);
      return exit_deadline;
    case ending::error:
    case ending::complete:
      break;
  }
  const bool is_success = options_.errors.cancels() ? !has_failed(1) : totals_.errors == 0;
  return is_success ? exit_success : exit_failure;
}

}  // namespace

int hash_paths(const hash_options& options) { return tree_hash(options).run(); }

}  // namespace harrier::cli
