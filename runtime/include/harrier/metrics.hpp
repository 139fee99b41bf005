// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace harrier {

/// What a runtime has done so far. Each worker counts on lines of its own; this is their sum.
/// Frames live is exact at rest; the peak is the sum of the workers' peaks, so an upper bound.
class runtime_metrics {
 public:
  runtime_metrics() noexcept {}

  std::size_t workers = 0;  ///< without spare ones
  /// Under thread_provider::task_arena: slots that were given a thread at least once.
  /// Spare workers are not among them.
  std::uint64_t threads_started = 0;
  /// Under thread_provider::task_arena: how often a thread of our own came, because oneTBB had none.
  std::uint64_t stand_ins = 0;
  std::uint64_t watch_threads = 0;  ///< 1 while there is one: runtime_options::stalled_after
  std::uint64_t stalls = 0;  ///< how often it has told of a worker
  std::uint64_t spare_workers_started = 0;  ///< they stay: runtime_options::spare_workers
  /// Threads that served a worker while its own waited in a step for a dropped fork.
  std::uint64_t deputies_started = 0;
  std::uint64_t loops_created = 0;
  std::uint64_t pollers_created = 0;  ///< always 0 so far: loops wait on a futex
  std::int64_t frames_live = 0;
  std::int64_t frames_peak = 0;
  std::uint64_t steals = 0;  ///< the sum of the three below
  std::uint64_t steals_ranges = 0;
  std::uint64_t steals_children = 0;
  std::uint64_t steals_resumed = 0;
  std::uint64_t parks = 0;
  std::uint64_t wakes = 0;
  std::uint64_t blocking_threads_started = 0;
  std::uint64_t tasks_spawned = 0;
  std::uint64_t tasks_finished = 0;
};

}  // namespace harrier
