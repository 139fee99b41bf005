// SPDX-License-Identifier: Apache-2.0
// After a burst and trim() the process is about as large as before.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <thread>

namespace harrier::test {
namespace {

using namespace std::chrono_literals;

/// Resident bytes of this process.
std::uint64_t resident() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t pages = 0;
  file >> size >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(memory_stress, a_burst_and_trim_leave_the_process_as_small_as_before) {
#if defined(HARRIER_SANITIZED)
  constexpr std::uint64_t burst = 1'000;  // a sanitizer keeps what is freed: only the way is walked
#else
  constexpr std::uint64_t burst = 300'000;
#endif
  runtime rt(std::size_t{2});
  auto nap = []() -> task<> { co_await sleep_for(1ms); };
  auto item = [](std::uint64_t) -> task<> { co_await sleep_for(50ms); };
  rt.dispatch(100, item).wait();
  const std::uint64_t before = resident();
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i < burst; ++i) rt.spawn(nap()).detach();
    auto sleepers = rt.dispatch(burst, item);
    sleepers.wait();
    EXPECT_TRUE(rt.drain(100s));
    const std::uint64_t at_its_peak = resident();
    const std::uint64_t bound = std::max(before + before / 5, before + (std::uint64_t{8} << 20));
    std::uint64_t after = at_its_peak;
    for (int trims = 0; trims < 4 && (trims == 0 || after > bound); ++trims) {
      rt.trim();
      std::this_thread::sleep_for(50ms);  // the workers do their part when they are idle
      after = resident();
    }
#if !defined(HARRIER_SANITIZED)
    EXPECT_GT(at_its_peak, bound) << "no burst worth the name";
    EXPECT_LE(after, bound) << "before: " << before << ", at its peak: " << at_its_peak;
#endif
  }
}

}  // namespace
}  // namespace harrier::test
