// SPDX-License-Identifier: Apache-2.0
// Faults of the whole process: no descriptors, one processor, a child by fork(). Each runs in a
// process of its own, so that what it does to itself stays there.
#include <harrier/runtime.hpp>

#include "fault/child.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace harrier::test {
namespace {

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
