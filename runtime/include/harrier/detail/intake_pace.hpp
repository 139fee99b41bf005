// SPDX-License-Identifier: Apache-2.0
// How a worker that is faster than those who hand in tasks lets some gather before it takes them.
//
// Each take moves the lines of the injection queue to the worker's core, and the next hand-in moves them
// back: one task at a time costs whoever hands in three times as much as a dozen.
//
// Threads     the slot's own.
// Rule        a worker with nothing else to do that has found only a few tasks `often` times, one after the
//             other, waits some two microseconds before it takes them. If that brought hardly more than one,
//             whoever hands in waits for each task: then it takes them at once, until it has found a few
//             `often` again.
#pragma once

#include <harrier/detail/spin_wait.hpp>

#include <cstddef>
#include <cstdint>

namespace harrier::detail {

class intake_pace {
 public:
  /// So many injected tasks are there, and nothing else.
  void let_fill(std::size_t present) noexcept {
    has_waited_ = present < enough && found_ >= often;
    if (present >= enough) {
      found_ = 0;
    } else if (!has_waited_) {
      ++found_;
    } else {
      for (unsigned spin = 0; spin < pauses; ++spin) {
        pause_processor();
      }
    }
  }
  /// What a take gave.
  void took(std::size_t tasks) noexcept {
    if (has_waited_ && tasks < worthwhile) {
      found_ = 0;
    }
    has_waited_ = false;
  }

 private:
  static constexpr std::uint32_t often = 16;
  static constexpr std::size_t enough = 32;
  static constexpr std::size_t worthwhile = 4;
  static constexpr unsigned pauses = 128;
  std::uint32_t found_ = 0;
  bool has_waited_ = false;
};

}  // namespace harrier::detail
