// SPDX-License-Identifier: Apache-2.0
// batch_options: the same for_each, with and without.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

namespace bench::batch_options {
namespace {

using namespace std::chrono_literals;

harrier::task<> item(std::uint64_t i) {
  benchmark::DoNotOptimize(work(i));
  co_return;
}

void run_plain(harrier::runtime& rt, std::uint64_t n) { rt.for_each(n, item).get(); }

void run_watched(harrier::runtime& rt, std::uint64_t n) {
  auto options = harrier::dispatch_options().on_progress(
      100ms, [](const harrier::batch_progress& now) { benchmark::DoNotOptimize(now.completed); });
  rt.for_each(n, item, std::move(options)).get();
}

/// A directory of this process, gone with it.
class scratch {
 public:
  scratch()
      : path_(std::filesystem::temp_directory_path() /
              ("harrier-bench-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path_);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code unimportant;
    std::filesystem::remove_all(path_, unimportant);
  }
  std::string file(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void run_recorded(harrier::runtime& rt, std::uint64_t n, const std::string& file) {
  harrier::checkpoint kept(file, harrier::batch_identity("batch_checkpoint", n));
  rt.for_each(n, item, harrier::dispatch_options().with_checkpoint(kept)).get();
  kept.save();
}

template <class Run>
contender make(const char* workload, const char* name, Run run) {
  return contender(workload, name, worker_counts(), [run](std::size_t workers) {
    auto rt = std::make_shared<harrier::runtime>(workers);
    const std::uint64_t n = size();
    return measurement(static_cast<double>(n), [rt, n, run] { return run(*rt, n); });
  });
}

duration plain(harrier::runtime& rt, std::uint64_t n) {
  return timed([&] { run_plain(rt, n); });
}
duration watched(harrier::runtime& rt, std::uint64_t n) {
  return timed([&] { run_watched(rt, n); });
}
duration recorded(harrier::runtime& rt, std::uint64_t n) {
  const scratch directory;
  return timed([&] { run_recorded(rt, n, directory.file("items.checkpoint")); });
}

const contender without_progress = make("batch_progress", "plain", plain);
const contender with_progress = make("batch_progress", "harrier", watched);
const contender without_checkpoint = make("batch_checkpoint", "plain", plain);
const contender with_checkpoint = make("batch_checkpoint", "harrier", recorded);

}  // namespace
}  // namespace bench::batch_options
