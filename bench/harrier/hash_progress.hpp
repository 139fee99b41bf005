// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/runtime.hpp>

#include "progress_bar.hpp"
#include "progress_mode.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace harrier::cli {

/// How far `harrier hash` is. Outlives the runtime whose coroutines count here.
class hash_counters {
 public:
  std::atomic<std::uint64_t> files{0};  // hashed
  std::atomic<std::uint64_t> reused{0};  // taken from the checkpoint
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> bytes{0};  // read
};

/// Shows the counters as `--progress` wants it.
class hash_progress {
 public:
  hash_progress(progress_mode mode, bool is_output_shared);

  /// Starts a coroutine that shows them from time to time until the runtime stops. Both outlive it.
  void start(runtime& rt, const hash_counters& counters);
  /// Writes a line of its own, such as an error.
  void print(const std::string& line) { bar_.print_above(line); }
  /// The last word.
  void end(const hash_counters& counters);

 private:
  void show(const hash_counters& counters, bool is_end);
  static task<void> keep_showing(hash_progress* self, const hash_counters* counters);

  progress_mode mode_;
  progress_bar bar_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace harrier::cli
