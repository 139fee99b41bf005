// SPDX-License-Identifier: Apache-2.0
// Faults of the whole process: no descriptors, one processor, a child by fork(). Each runs in a
// process of its own, so that what it does to itself stays there.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace harrier::test {
namespace {

/// What a fresh runtime can do, quickly. For processes that have no gtest around them.
bool works() {
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

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

TEST(descriptors, are_as_many_afterwards) {
  const std::size_t before = open_descriptors();
  EXPECT_TRUE(works());
  EXPECT_EQ(open_descriptors(), before);
}

// Not under a sanitizer: UBSan asks by a pipe whether memory can be read, and without descriptors takes
// every object for a bad one.
#if HARRIER_TEST_SANITIZED == 0

TEST(descriptors, a_runtime_needs_none) {
  auto without = [] {
    rlimit none{};
    none.rlim_max = 3;
    none.rlim_cur = 3;  // stdin, stdout, stderr; and all others are closed to newcomers
    return ::setrlimit(RLIMIT_NOFILE, &none) == 0 && works();
  };
  EXPECT_EQ(in_a_child(without), 0);
}

TEST(descriptors, without_one_a_checkpoint_says_so) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("harrier_fault_" + std::to_string(::getpid()));
  auto without = [&] {
    rlimit none{};
    none.rlim_max = 3;
    none.rlim_cur = 3;
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return false;
    try {
      const checkpoint file(path.string(), batch_identity("fault", 10));
    } catch (const std::system_error& said) {
      return said.code() == std::errc::too_many_files_open && works();
    }
    return false;
  };
  EXPECT_EQ(in_a_child(without), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

#endif

TEST(affinity, one_processor_is_one_worker_and_enough) {
  auto on_one = [] {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    if (::sched_getaffinity(0, sizeof mine, &mine) != 0) return false;
    for (int cpu = 0, kept = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &mine) && kept++ != 0) CPU_CLR(cpu, &mine);
    }
    return ::sched_setaffinity(0, sizeof mine, &mine) == 0 && default_workers() == 1 && works();
  };
  EXPECT_EQ(in_a_child(on_one), 0);
}

// Threads do not come along: a child may leave or start another program, not use the runtime.
TEST(process_fork, while_a_runtime_lives_leaves_it_alone) {
  runtime rt(std::size_t{2});
  auto sleeps = rt.spawn(sleep_for_ever());
  EXPECT_EQ(rt.run(give(1)), 1);
  EXPECT_EQ(in_a_child([] { return true; }), 0);
  auto other_program = [] { return ::execl("/bin/true", "true", nullptr) == 0; };
  EXPECT_EQ(in_a_child(other_program), 0);
  EXPECT_EQ(rt.run(give(7)), 7);
  EXPECT_FALSE(sleeps.done());
}

}  // namespace
}  // namespace harrier::test
