// SPDX-License-Identifier: Apache-2.0
// harrier_soak --seconds S --seed N --workers W: random load over the public interface, for as long as
// asked. One line a second. The first violation ends it with a report and status 1.
//
// A round is the life of a runtime: threads of ordinary code hand in random work, and at some point it
// is stopped, drained before or not. After each round
//   (1) submitted = completed + failed + cancelled + rejected, and what was refused has not started
//   (2) no coroutine frame lives
//   (3) no thread of the runtime is left, and as many descriptors are open as at the start.
// Rounds and loads follow from the seed; how threads interleave does not.
#include <harrier/runtime.hpp>

#include "load.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace harrier::soak {
namespace {

using namespace std::chrono_literals;
using machine_clock = std::chrono::steady_clock;

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

/// Threads that a runtime has made: by their names.
std::size_t threads_of_runtimes() {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(each.path() / "comm");
    std::string name;
    std::getline(file, name);
    count += name.starts_with("harrier/") ? 1u : 0u;
  }
  return count;
}

/// The system may list a thread for a moment after it was joined.
bool all_threads_are_gone() {
  for (int look = 0; look < 2000; ++look) {
    if (threads_of_runtimes() == 0) {
      return true;
    }
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

void print(const char* what, std::uint64_t rounds, const totals& sum) {
  std::printf(
      "%s: %llu rounds, submitted %llu = completed %llu + failed %llu + cancelled %llu + rejected "
      "%llu\n",
      what, static_cast<unsigned long long>(rounds),
      static_cast<unsigned long long>(sum.submitted.load()),
      static_cast<unsigned long long>(sum.completed.load()),
      static_cast<unsigned long long>(sum.failed.load()),
      static_cast<unsigned long long>(sum.cancelled.load()),
      static_cast<unsigned long long>(sum.rejected.load()));
  std::fflush(stdout);
}

class soak {
 public:
  soak(double seconds, std::uint64_t seed, std::size_t workers)
      : until_(machine_clock::now() + std::chrono::duration_cast<machine_clock::duration>(
                                          std::chrono::duration<double>(seconds))),
        seed_(seed),
        workers_(workers) {}

  int run() {
    descriptors_ = open_descriptors();
    std::thread printer([this] { print_each_second(); });
    while (!is_over() && violation_.empty()) {
      round();
      violation_ = look_for_violation();
      rounds_.fetch_add(1);
    }
    over_ = true;
    printer.join();
    print("end", rounds_.load(), sum_);
    if (!violation_.empty()) {
      std::printf("VIOLATION in round %llu of seed %llu: %s\n",
                  static_cast<unsigned long long>(rounds_.load()),
                  static_cast<unsigned long long>(seed_), violation_.c_str());
      return 1;
    }
    return 0;
  }

 private:
  bool is_over() const { return machine_clock::now() >= until_; }

  void round() {
    std::mt19937_64 random(seed_ + rounds_.load());
    runtime_options options;
    options.workers = workers_;
    options.seed = random();
    options.queue_limit = random() % 3 == 0 ? 8 : 0;
    options.provider =
        random() % 4 == 0 ? thread_provider::task_arena : thread_provider::own_threads;
    options.exception_handler = [](const error_report&) {};  // errors of what nobody waits for
    const auto load_time = std::chrono::milliseconds(random() % 100);
    const bool drains = random() % 2 == 0;
    runtime rt(options);
    std::vector<std::thread> submitters;
    for (int i = 0; i < 3; ++i) {
      submitters.emplace_back([this, &rt, load_seed = random()] {
        load mine(rt, sum_, load_seed);
        while (mine.hand_in()) {
        }
      });
    }
    std::this_thread::sleep_for(load_time);
    rt.stop(drains ? close_options().drain_for(50ms) : close_options());
    for (std::thread& each : submitters) {
      each.join();
    }
  }

  /// "" if all is as it should be; nothing runs.
  std::string look_for_violation() {
    const std::uint64_t ended =
        sum_.completed.load() + sum_.failed.load() + sum_.cancelled.load() + sum_.rejected.load();
    if (sum_.submitted.load() != ended) {
      return "submitted " + std::to_string(sum_.submitted.load()) + ", accounted for " +
             std::to_string(ended);
    }
    if (sum_.wrong.load() != 0) {
      return std::to_string(sum_.wrong.load()) + " results are wrong";
    }
    if (live_frames() != 0) {
      return std::to_string(live_frames()) + " frames live";
    }
    if (!all_threads_are_gone()) {
      return std::to_string(threads_of_runtimes()) + " threads are left";
    }
    if (open_descriptors() != descriptors_) {
      return std::to_string(open_descriptors()) + " descriptors are open, " +
             std::to_string(descriptors_) + " at the start";
    }
    return {};
  }

  /// And ends the process if nothing has moved for as long as nothing can take.
  void print_each_second() {
    constexpr int most_still_seconds = 120;
    std::uint64_t seen = 0;
    int still = 0;
    for (auto next = machine_clock::now() + 1s; !over_; next += 1s) {
      while (!over_ && machine_clock::now() < next) {
        std::this_thread::sleep_for(10ms);
      }
      print("running", rounds_.load(), sum_);
      const std::uint64_t moved = rounds_.load() + sum_.submitted.load() + sum_.completed.load();
      still = moved == seen ? still + 1 : 0;
      seen = moved;
      if (still == most_still_seconds) {
        std::printf("VIOLATION in round %llu of seed %llu: nothing moves\n",
                    static_cast<unsigned long long>(rounds_.load()),
                    static_cast<unsigned long long>(seed_));
        std::fflush(stdout);
        std::abort();  // with all threads as they are, for a debugger
      }
    }
  }

  const machine_clock::time_point until_;
  const std::uint64_t seed_;
  const std::size_t workers_;
  std::size_t descriptors_ = 0;
  totals sum_;
  std::atomic<std::uint64_t> rounds_{0};
  std::atomic<bool> over_{false};
  std::string violation_;
};

}  // namespace
}  // namespace harrier::soak

int main(int count, char** values) {
  double seconds = 10;
  std::uint64_t seed = std::random_device()();
  std::size_t workers = harrier::default_workers();
  for (int at = 1; at < count; at += 2) {
    const std::string_view name = values[at];
    const char* const value = at + 1 < count ? values[at + 1] : nullptr;
    if (value != nullptr && name == "--seconds") {
      seconds = std::atof(value);
    } else if (value != nullptr && name == "--seed") {
      seed = std::strtoull(value, nullptr, 0);
    } else if (value != nullptr && name == "--workers") {
      workers = static_cast<std::size_t>(std::strtoull(value, nullptr, 0));
    } else {
      std::fprintf(stderr, "usage: harrier_soak [--seconds S] [--seed N] [--workers W]\n");
      return 2;
    }
  }
  std::printf("seed %llu, %zu workers\n", static_cast<unsigned long long>(seed), workers);
  return harrier::soak::soak(seconds, seed, workers).run();
}
