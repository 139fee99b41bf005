// SPDX-License-Identifier: Apache-2.0
// Faults of a whole process are tried in a child, so that what it does to itself stays there; and what is
// counted before and after.
#pragma once

#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace harrier::test {

/// What a fresh runtime can do, quickly. For processes that have no gtest around them.
inline bool works() {
  runtime rt(std::size_t{2});
  auto op = rt.dispatch(100, [](std::uint64_t i) { return give(static_cast<int>(i)); });
  auto main = []() -> task<int> {
    auto blocks = offload_blocking([] { return 1; });
    const int one = co_await blocks;
    auto slept = sleep_then(1ms, 2);
    const int two = co_await slept;
    co_return one + two;
  };
  return op.get()[99] == 99 && rt.run(main()) == 3;
}

/// Calls f in a child of this process: its exit status. What uses a runtime there is for a process that
/// has none.
template <class F>
int in_a_child(F f) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 1;
    try {
      status = f() ? 0 : 1;
    } catch (...) {  // a status of its own
      status = 2;
    }
    ::_exit(status);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

/// Threads that runtimes have made: by their names.
inline std::size_t threads_of_runtimes() {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(each.path() / "comm");
    std::string name;
    std::getline(file, name);
    count += name.starts_with("harrier/") ? 1u : 0u;
  }
  return count;
}

/// Whether nothing of any runtime is left: no frame, and no thread. The system may list a thread for a
/// moment after it was joined.
inline bool nothing_is_left() {
  for (int look = 0; threads_of_runtimes() != 0; ++look) {
    if (look == 2000) return false;
    std::this_thread::sleep_for(1ms);
  }
  return live_frames() == 0;
}

/// Whether what was spawned has ended, and nothing else is there.
inline bool is_at_rest(runtime& rt) {
  const bool drained = rt.drain(1min);
  const runtime_metrics figures = rt.metrics();
  return drained && figures.tasks_spawned == figures.tasks_finished && rt.all_tasks().empty();
}

}  // namespace harrier::test
