// SPDX-License-Identifier: Apache-2.0
#include "peak_memory.hpp"

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace harrier::cli {

namespace {

// Also counts what the parent had resident when it started this program, but is always there.
std::uint64_t rusage_peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

std::uint64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::uint64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  }
  return rusage_peak_bytes();
}

}  // namespace harrier::cli
