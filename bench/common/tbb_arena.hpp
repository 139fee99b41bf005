// SPDX-License-Identifier: Apache-2.0
// oneTBB set to a number of workers, so that no more than that many threads run tasks and no idle
// oneTBB thread stands by.
#pragma once

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cstddef>
#include <utility>

namespace bench {

/// Whether the thread that made the arena is one of its workers.
enum class caller { works, stays_outside };

class tbb_arena {
 public:
  explicit tbb_arena(std::size_t workers, caller role = caller::works)
      // oneTBB's limit counts a thread that it did not make, in the arena or not.
      : limit_(tbb::global_control::max_allowed_parallelism,
               workers + (role == caller::stays_outside ? 1 : 0)),
        arena_(static_cast<int>(workers), role == caller::works ? 1 : 0) {}

  /// Runs `work` on the calling thread inside the arena and returns what it returns.
  template <class F>
  auto execute(F&& work) {
    return arena_.execute(std::forward<F>(work));
  }
  /// Lets a thread of the arena run `work` some time.
  template <class F>
  void enqueue(F&& work) {
    arena_.enqueue(std::forward<F>(work));
  }

 private:
  tbb::global_control limit_;
  tbb::task_arena arena_;
};

}  // namespace bench
