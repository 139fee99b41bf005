// SPDX-License-Identifier: Apache-2.0
#include "hash_progress.hpp"

#include "terminal.hpp"

#include <nlohmann/json.hpp>

namespace harrier::cli {

namespace {

constexpr std::chrono::seconds json_interval{1};

bool wants_bar(progress_mode mode, bool is_output_shared) {
  return mode == progress_mode::bar || (mode == progress_mode::automatic && !is_output_shared);
}

}  // namespace

hash_progress::hash_progress(progress_mode mode, bool is_output_shared)
    : mode_(mode), bar_(wants_bar(mode, is_output_shared)) {}

void hash_progress::start(runtime& rt, const hash_counters& counters) {
  if (mode_ != progress_mode::json && !bar_.is_visible()) return;
  rt.spawn(keep_showing(this, &counters), "progress").detach();
}

// Runs until cancelled.
task<void> hash_progress::keep_showing(hash_progress* self, const hash_counters* counters) {
  const bool is_json = self->mode_ == progress_mode::json;
  const duration interval = is_json ? duration(json_interval) : duration(progress_bar::interval);
  for (;;) {
    co_await sleep_for(interval);
    self->show(*counters, false);
  }
}

void hash_progress::end(const hash_counters& counters) {
  if (mode_ == progress_mode::json) show(counters, true);
}

// relaxed: the counters are only shown
void hash_progress::show(const hash_counters& counters, bool is_end) {
  const auto files = counters.files.load(std::memory_order_relaxed);
  const auto bytes = counters.bytes.load(std::memory_order_relaxed);
  if (mode_ != progress_mode::json) return bar_.draw_open_ended(files, bytes);
  nlohmann::ordered_json line;
  line["hashed"] = files;
  line["reused"] = counters.reused.load(std::memory_order_relaxed);
  line["errors"] = counters.errors.load(std::memory_order_relaxed);
  line["bytes"] = bytes;
  line["seconds"] = seconds_f(std::chrono::steady_clock::now() - start_).count();
  line["done"] = is_end;
  print(line.dump());
}

}  // namespace harrier::cli
