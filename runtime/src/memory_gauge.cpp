// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/memory_gauge.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace harrier::detail {

namespace {

/// The value behind `key` in a file of lines "key value"; 0: there is none.
double value_in(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  double value = 0;
  while (file >> word) {
    if (word == key) {
      file >> value;
      return value;
    }
    std::getline(file, word);
  }
  return 0;
}

/// A limit; "max" and a file that is not there are none.
double limit_in(const std::string& path, double none) {
  std::ifstream file(path);
  std::string word;
  return file >> word && word != "max" ? std::strtod(word.c_str(), nullptr) : none;
}

double cgroup_in_use() {
  std::ifstream file("/proc/self/cgroup");
  double most = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("0::", 0) != 0) {
      continue;  // version 1
    }
    // From the process's own group to below the root, which has no limits.
    std::string path = line.substr(3);
    for (; path.size() > 1; path.resize(path.rfind('/'))) {
      const std::string at = "/sys/fs/cgroup" + path;
      const double limit = limit_in(at + "/memory.high", limit_in(at + "/memory.max", 0));
      const double hard = limit_in(at + "/memory.max", limit);
      const double nearest = std::min(limit, hard);
      if (nearest > 0) {
        const double cache = value_in(at + "/memory.stat", "inactive_file");
        most = std::max(most, (limit_in(at + "/memory.current", 0) - cache) / nearest);
      }
    }
  }
  return most;
}

double address_space_in_use() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      limit.rlim_cur == 0) {
    return 0;
  }
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / static_cast<double>(limit.rlim_cur);
}

/// A tenth that is left is little, and so is a gigabyte: on a large machine a tenth is plenty.
double machine_in_use() {
  const double total = value_in("/proc/meminfo", "MemTotal:");
  const double available = value_in("/proc/meminfo", "MemAvailable:");
  constexpr double gigabyte = 1024 * 1024;  // the file counts kilobytes
  const double whole = std::min(total, 10 * gigabyte);
  return whole > 0 ? 1 - std::min(available, whole) / whole : 0;
}

}  // namespace

double memory_in_use() noexcept {
  try {
    return std::max({cgroup_in_use(), address_space_in_use(), machine_in_use()});
  } catch (...) {  // std::bad_alloc: that is the answer
    return 1;
  }
}

double memory_gauge::read(time_point now) noexcept {
  duration::rep next = next_.load(std::memory_order_relaxed);  // re-checked by the exchange
  const duration::rep at = now.time_since_epoch().count();
  // relaxed: the word decides who asks, and carries nothing
  if (at >= next &&
      next_.compare_exchange_strong(next, at + period.count(), std::memory_order_relaxed,
                                    std::memory_order_relaxed)) {
    double used = 0;
    try {
      used = source_ ? source_() : memory_in_use();
    } catch (...) {  // a source that cannot tell says nothing
    }
    last_.store(used, std::memory_order_relaxed);  // by itself
    return used;
  }
  return last_.load(std::memory_order_relaxed);  // by itself
}

}  // namespace harrier::detail
