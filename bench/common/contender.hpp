// SPDX-License-Identifier: Apache-2.0
// How a benchmark program lists its contenders. Each contender is a file-level object that names
// itself and a function which prepares it; the common main() registers it with Google Benchmark as
// <workload>/<contender>/<workers>.
//
// What is timed is decided by the contender: its round returns the time it took, so that checking
// the result and freeing it stay outside. The clock is read twice per round, so a round of cheap
// operations is a loop of many.
#pragma once

#include "parameters.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

using duration = std::chrono::nanoseconds;

/// Runs `work` once and returns the wall time that it took.
template <class F>
duration timed(F&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::steady_clock::now() - start;
}

/// What one prepared contender does: a round and what it amounts to.
class measurement {
 public:
  /// `round` runs the workload once and returns its time; `operations` is the number of operations
  /// in it, by which the time is divided.
  measurement(double operations, std::function<duration()> round)
      : operations_(operations), round_(std::move(round)) {}

  /// Bytes of input and results that every contender must hold; memory is reported above them.
  measurement& with_payload(double bytes) {
    payload_bytes_ = bytes;
    return *this;
  }
  /// What to run before anything counts, instead of a whole round, which may take long.
  measurement& with_warm_up(std::function<void()> warm_up) {
    warm_up_ = std::move(warm_up);
    return *this;
  }
  /// A number to report beside the time, read after the last round.
  measurement& with_counter(const std::string& name, std::function<double()> read) {
    counters_.emplace_back(name, std::move(read));
    return *this;
  }

  duration run_round() const { return round_(); }
  void warm_up() const { warm_up_ ? warm_up_() : static_cast<void>(round_()); }
  double operations() const { return operations_; }
  double payload_bytes() const { return payload_bytes_; }
  const auto& counters() const { return counters_; }

 private:
  double operations_;
  double payload_bytes_ = 0;
  std::function<duration()> round_;
  std::function<void()> warm_up_;
  std::vector<std::pair<std::string, std::function<double()>>> counters_;
};

/// Registers a contender while it is constructed; meant for namespace scope.
class contender {
 public:
  using prepare = std::function<measurement(std::size_t workers)>;
  contender(const std::string& workload, const std::string& name,
            const std::vector<std::size_t>& workers, const prepare& make);
};

/// Registers a contender whose number is no time (bytes, processor time). It runs exactly once in a
/// process, without warming up.
class quantity {
 public:
  using measure = std::function<double(std::size_t workers)>;
  quantity(const std::string& workload, const std::string& name,
           const std::vector<std::size_t>& workers, const std::string& unit,
           const measure& measure_once);
};

/// Ends the process with a message unless `holds`: a wrong answer must not become a fast one.
void check(bool holds, const char* message);

/// The measurement of run(n), which has to give `wanted`: n operations, unless said.
template <class F>
measurement checked(const char* workload, std::uint64_t n, std::uint64_t wanted, F run,
                    std::uint64_t operations = 0) {
  const auto count = static_cast<double>(operations != 0 ? operations : n);
  return measurement(count, [workload, n, wanted, run = std::move(run)] {
    std::uint64_t value = 0;
    const duration taken = timed([&] { value = run(n); });
    check(value == wanted, workload);
    return taken;
  });
}

/// Largest and present resident size of this process, in bytes. The largest is VmHWM and not
/// getrusage's figure, which Linux carries over from the process that called exec.
std::uint64_t peak_resident_bytes();
std::uint64_t resident_bytes();

}  // namespace bench
