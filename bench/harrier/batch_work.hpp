// SPDX-License-Identifier: Apache-2.0
// What the coroutines of `harrier batch` do. Whatever it is, item i ends with the result i, or fails
// where that is known before, so that the sum of all results is known before anything runs.
#pragma once

#include <harrier/runtime.hpp>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace harrier::cli {

/// noop     only returns its index
/// yield    lets everything else that is ready run first, once
/// sleep    sleeps for 1 to 10 ms, by index
/// compute  does a few hundred nanoseconds of arithmetic that cannot be skipped
/// mixed    one of the four, by index
/// flaky    fails: every tenth item its first attempt, every hundredth the first two, every
///          thousandth each one; item 9 is the first of the tenths, and so on
enum class work { noop, yield, sleep, compute, mixed, flaky };

/// What an item of `flaky` fails with.
class service_busy : public std::runtime_error {
 public:
  explicit service_busy(std::uint64_t index);
};

/// The kinds' names, in the order of the enumeration.
const std::vector<std::string>& work_names();

/// Starts `count` coroutines that do `kind`.
batch<std::uint64_t> dispatch_work(runtime& rt, work kind, std::uint64_t count,
                                   dispatch_options options = {});

/// The same for a batch with a checkpoint, whose items return nothing: they add what they would return
/// to `sum`, which outlives them.
batch<void> dispatch_summed_work(runtime& rt, work kind, std::uint64_t count,
                                 dispatch_options options, std::atomic<std::uint64_t>& sum);

/// The sum of the results of `count` items, modulo 2^64, if none fails.
std::uint64_t expected_checksum(std::uint64_t count);

/// How many of the first `count` items fail for good after `retries` retries, and the sum of what they
/// would have given, modulo 2^64.
class expected_failures {
 public:
  expected_failures(work kind, std::uint64_t count, std::uint64_t retries) noexcept;
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
};

}  // namespace harrier::cli
