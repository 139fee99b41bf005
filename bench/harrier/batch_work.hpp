// SPDX-License-Identifier: Apache-2.0
// What the coroutines of `harrier batch` do. Whatever it is, item i ends with the result i, so that
// the sum of all results is known before anything runs.
#pragma once

#include <harrier/runtime.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace harrier::cli {

/// noop     only returns its index
/// yield    lets everything else that is ready run first, once
/// sleep    sleeps for 1 to 10 ms, by index
/// compute  does a few hundred nanoseconds of arithmetic that cannot be skipped
/// mixed    one of the four, by index
enum class work { noop, yield, sleep, compute, mixed };

/// The kinds' names, in the order of the enumeration.
const std::vector<std::string>& work_names();

/// Starts `count` coroutines that do `kind`.
batch<std::uint64_t> dispatch_work(runtime& rt, work kind, std::uint64_t count,
                                   dispatch_options options = {});

/// The same for a batch with a checkpoint, whose items return nothing: they add what they would return
/// to `sum`, which outlives them.
batch<void> dispatch_summed_work(runtime& rt, work kind, std::uint64_t count,
                                 dispatch_options options, std::atomic<std::uint64_t>& sum);

/// The sum of the results of `count` items, modulo 2^64.
std::uint64_t expected_checksum(std::uint64_t count);

}  // namespace harrier::cli
