// SPDX-License-Identifier: Apache-2.0
// Hashes many files at once and prints them in order.
//
// The main thread is ordinary code: it walks the tree, spawns a coroutine for each file it finds,
// and prints the oldest one's digest when the window is full. Each coroutine does its blocking
// calls on the elastic pool, so that the workers stay free.
//
// Memory      one window of coroutines and digests, and what tree_walk keeps.
// Rejected    a batch over all files: it needs them listed before it starts.
#include "tree_hash.hpp"

#include "exit_status.hpp"
#include "file_digest.hpp"
#include "file_source.hpp"
#include "hash_listing.hpp"
#include "output.hpp"
#include "peak_memory.hpp"
#include "progress_bar.hpp"
#include "terminal.hpp"

#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>

namespace harrier::cli {

namespace {

// So many that one long file does not keep the rest waiting, so few that they cost a megabyte.
constexpr std::size_t window_files = 1024;

// Hashing is mostly computing, reading from a cold disk mostly waiting.
constexpr std::size_t blocking_threads_per_worker = 4;

class hash_counters {
 public:
  std::atomic<std::uint64_t> files{0};
  std::atomic<std::uint64_t> bytes{0};
};

// `counters` outlives the runtime that this runs on.
task<file_digest> hash_one(found_file file, hash_counters* counters) {
  auto work = [&file, counters] {
    return hash_file(std::move(file.path), file.links, counters->bytes);
  };
  auto op = offload_blocking(std::move(work));
  auto digest = co_await op;
  counters->files.fetch_add(1, std::memory_order_relaxed);  // counter only
  co_return digest;
}

// Runs until cancelled. `bar` and `counters` outlive the runtime that this runs on.
task<void> keep_drawing(progress_bar* bar, const hash_counters* counters) {
  for (;;) {
    co_await sleep_for(progress_bar::interval);
    bar->draw_open_ended(counters->files.load(std::memory_order_relaxed),  // hint: only shown
                         counters->bytes.load(std::memory_order_relaxed));
  }
}

runtime_options runtime_options_for(std::uint64_t workers) {
  runtime_options options;
  options.workers = workers;
  options.max_blocking_threads = workers * blocking_threads_per_worker;
  return options;
}

class tree_hash {
 public:
  explicit tree_hash(const hash_options& options)
      : options_(options), rt_(runtime_options_for(options.workers)) {
    if (options.json) {
      listing_ = std::make_unique<json_listing>(out_);
    } else {
      listing_ = std::make_unique<checksum_listing>(out_);
    }
  }

  hash_totals run();

 private:
  void take_oldest();
  void report_error(const std::string& path, int error);

  const hash_options& options_;
  output out_;
  std::unique_ptr<checksum_listing> listing_;
  hash_totals totals_;
  hash_counters counters_;
  progress_bar bar_;
  std::deque<join_handle<file_digest>> window_;
  runtime rt_;  // last: its end waits for the coroutines, which use what is above
};

hash_totals tree_hash::run() {
  const auto start = std::chrono::steady_clock::now();
  if (bar_.is_visible() && !is_output_terminal()) {
    rt_.spawn(keep_drawing(&bar_, &counters_), "progress").detach();
  }
  file_source source(options_.paths,
                     [this](const std::string& path, int error) { report_error(path, error); });
  while (auto file = source.next()) {
    if (window_.size() == window_files) take_oldest();
    window_.push_back(rt_.spawn(hash_one(std::move(*file), &counters_)));
  }
  while (!window_.empty()) take_oldest();
  totals_.seconds = seconds_f(std::chrono::steady_clock::now() - start).count();
  totals_.workers = options_.workers;
  totals_.peak_rss_bytes = peak_rss_bytes();
  listing_->end(totals_);
  out_.flush();
  rt_.stop();
  return totals_;
}

void tree_hash::take_oldest() {
  auto oldest = std::move(window_.front());
  window_.pop_front();
  if (!oldest.done()) out_.flush();  // a reader of the pipe sees what there is while we wait
  const auto digest = oldest.get();
  if (digest.error != 0) return report_error(digest.path, digest.error);
  ++totals_.files;
  totals_.bytes += digest.bytes;
  listing_->add(digest);
}

void tree_hash::report_error(const std::string& path, int error) {
  const std::string message = std::strerror(error);
  ++totals_.errors;
  bar_.print_above("harrier: " + escaped_path(path) + ": " + message);
  listing_->add_error(path, message);
}

}  // namespace

int hash_paths(const hash_options& options) {
  const auto totals = tree_hash(options).run();
  return totals.errors == 0 ? exit_success : exit_failure;
}

}  // namespace harrier::cli
