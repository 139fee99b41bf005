// SPDX-License-Identifier: Apache-2.0
// A whole program of runtimes, runners and threads on one thread, in an order that a seed decides.
//
// Link harrier::simulation instead of harrier::runtime: the same sources and the same headers, and
// beside them this. Inside simulation::run() every thread, lock, condition variable, futex, sleep and
// clock of the process is virtual: std::thread and std::mutex of your own code as well. harrier's own
// code can be preempted at every branch, and so can yours if it is compiled with
// -fsanitize-coverage=trace-pc, as CMake does for whoever links harrier::simulation.
#pragma once

#include <harrier/runtime.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace harrier {

/// Nothing is left to run, or what runs never ends. Says who waits for what.
class HARRIER_EXPORT simulation_stuck : public std::runtime_error {
 public:
  explicit simulation_stuck(const std::string& report);
};

/// One seed failed. Says which, how, and with how few preemptions it still does; what failed is nested
/// in it (std::rethrow_if_nested).
class HARRIER_EXPORT simulation_failed : public std::runtime_error {
 public:
  simulation_failed(std::uint64_t seed, const std::string& report);
  std::uint64_t seed() const noexcept { return seed_; }

 private:
  std::uint64_t seed_;
};

/// One run under one seed. The same seed gives the same run, in the same program.
///
/// Threads   one simulation at a time in a process.
/// Errors    what the body throws; simulation_stuck: the threads that still were there are abandoned,
///           with all they own.
class HARRIER_EXPORT simulation {
 public:
  static constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

  /// Preempts threads at most so often; they still take turns where they wait.
  explicit simulation(std::uint64_t seed, std::size_t most_preemptions = any_number);
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;
  ~simulation();

  /// Runs `body`, ordinary code, until it and all threads that it makes have ended. Once.
  void run(std::function<void()> body);

  /// What happened, in a number: equal for equal runs.
  std::uint64_t trace() const noexcept { return trace_; }
  std::size_t switches() const noexcept { return switches_; }
  std::size_t preemptions() const noexcept { return preemptions_; }
  /// Where the last preemption fell, for addr2line; empty if there was none.
  const std::string& last_preemption() const noexcept { return last_preemption_; }

 private:
  std::uint64_t seed_;
  std::size_t most_preemptions_;
  std::uint64_t trace_ = 0;
  std::size_t switches_ = 0;
  std::size_t preemptions_ = 0;
  std::string last_preemption_;
};

/// Runs `body` under each of the seeds 1 to `seeds`, or under $HARRIER_SEED alone. The first one that
/// fails is printed, tried again with fewer and fewer preemptions, and thrown as simulation_failed.
HARRIER_EXPORT void simulate(std::uint64_t seeds, const std::function<void()>& body);

/// The same with a runtime of so many workers, a fresh one for each seed.
template <class Body>
  requires std::invocable<Body&, runtime&>
void simulate(std::uint64_t seeds, std::size_t workers, Body body) {
  simulate(seeds, [&] {
    runtime rt(workers);
    body(rt);
  });
}

}  // namespace harrier
