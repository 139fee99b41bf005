// SPDX-License-Identifier: Apache-2.0
// How many processors the process may use. std::thread::hardware_concurrency() knows neither the
// affinity mask nor the cgroup's quota.
#include <harrier/runtime_options.hpp>

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace harrier {

namespace {

std::size_t processors_in_mask() {
  for (int processors = 1024; processors <= 1 << 20; processors *= 2) {
    cpu_set_t* set = CPU_ALLOC(processors);
    if (set == nullptr) {
      break;
    }
    const std::size_t bytes = CPU_ALLOC_SIZE(processors);
    const int failed = ::sched_getaffinity(0, bytes, set);
    const int count = failed == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (failed == 0) {
      return static_cast<std::size_t>(std::max(count, 1));
    }
  }
  return 1;
}

/// The tightest quota on the way from the process's cgroup (version 2) to the root, in processors.
double quota_v2(std::string path) {
  double least = HUGE_VAL;
  for (;;) {
    std::ifstream file("/sys/fs/cgroup" + path + "/cpu.max");
    std::string quota;
    double period = 0;
    if (file >> quota >> period && quota != "max" && period > 0) {
      least = std::min(least, std::strtod(quota.c_str(), nullptr) / period);
    }
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || path.size() <= 1) {
      return least;
    }
    path.resize(slash);
  }
}

double quota_v1(const std::string& path) {
  for (const char* mount : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
    for (const std::string& at : {mount + path, std::string(mount)}) {
      double quota = 0;
      double period = 0;
      if (std::ifstream(at + "/cpu.cfs_quota_us") >> quota &&
          std::ifstream(at + "/cpu.cfs_period_us") >> period && quota > 0 && period > 0) {
        return quota / period;
      }
    }
  }
  return HUGE_VAL;
}

double cgroup_quota() {
  double least = HUGE_VAL;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") {
      least = std::min(least, quota_v2(path));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      least = std::min(least, quota_v1(path));
    }
  }
  return least;
}

}  // namespace

std::size_t default_workers() {
  const std::size_t processors = std::min(processors_in_mask(), max_workers);
  const double quota = std::ceil(cgroup_quota());
  return quota < static_cast<double>(processors)
             ? std::max<std::size_t>(static_cast<std::size_t>(quota), 1)
             : processors;
}

constinit std::atomic<thread_provider> detail::default_provider{thread_provider::own_threads};

runtime_options::runtime_options()
    : workers(default_workers()),
      provider(detail::default_provider.load(std::memory_order_relaxed)) {}  // set before threads
runtime_options::~runtime_options() = default;
runtime_options::runtime_options(const runtime_options&) = default;
runtime_options::runtime_options(runtime_options&&) noexcept = default;
runtime_options& runtime_options::operator=(const runtime_options&) = default;
runtime_options& runtime_options::operator=(runtime_options&&) noexcept = default;

}  // namespace harrier
