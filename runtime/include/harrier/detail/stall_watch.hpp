// SPDX-License-Identifier: Apache-2.0
// The thread that sees workers which stay in one step for too long, in a runtime that asks for it.
//
// Threads     one of its own, from the first worker's start to the end of stop(). It reads of each slot how
//             many steps it has begun, and whether it sleeps: two loads, four times in the bound.
// Rejected    a look at the clock for each step: paid by all. It is what debug mode does, which tells of
//             a slow step once it is over; one that never is over is for this.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace harrier::detail {

class runtime_core;

class stall_watch {
 public:
  /// Throws std::system_error, std::bad_alloc.
  stall_watch(runtime_core& core, duration longest);
  ~stall_watch();
  stall_watch(const stall_watch&) = delete;
  stall_watch& operator=(const stall_watch&) = delete;

 private:
  using steady_time = std::chrono::steady_clock::time_point;

  /// A slot as it was at the last looks.
  struct seen {
    std::uint32_t steps = 0;
    steady_time since{};  ///< the first look that saw that number
    bool is_told = false;
    std::string task;  ///< of the stall that was told; may be unknown
  };

  void serve() noexcept;
  void look_at(std::size_t slot, seen& before, steady_time now) noexcept;
  bool all_are_stalled() const noexcept;
  std::string culprits() const noexcept;

  runtime_core& core_;
  const duration longest_;
  std::vector<seen> slots_;
  bool told_no_rescue_ = false;  // since all have been stalled
  std::atomic<std::uint32_t> ends_{0};  // a futex
  std::thread thread_;  // last: it uses the others
};

}  // namespace harrier::detail
