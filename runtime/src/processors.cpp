// SPDX-License-Identifier: Apache-2.0
// The processors that a thread may use, from the kernel's sysfs and from oneTBB.
#include <harrier/pinning.hpp>

#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>
#include <sched.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>
#include <system_error>
#include <vector>

namespace harrier {

namespace {

std::vector<int> affinity_mask() {
  std::vector<int> processors;
  for (std::size_t most = 1024; most <= std::size_t{1} << 20; most *= 2) {
    cpu_set_t* set = CPU_ALLOC(most);
    if (set == nullptr) {
      throw std::bad_alloc();
    }
    const std::size_t bytes = CPU_ALLOC_SIZE(most);
    const bool fits = ::sched_getaffinity(0, bytes, set) == 0;
    try {
      for (std::size_t each = 0; fits && each < most; ++each) {
        if (CPU_ISSET_S(each, bytes, set)) {
          processors.push_back(static_cast<int>(each));
        }
      }
    } catch (...) {  // freed and passed on
      CPU_FREE(set);
      throw;
    }
    CPU_FREE(set);
    if (fits) {
      break;
    }
  }
  return processors;
}

/// What a file like "0-7,16" lists; nothing if there is no such file.
std::vector<int> read_list(const std::string& path) {
  std::vector<int> numbers;
  std::ifstream file(path);
  for (int first = 0; file >> first;) {
    int last = first;
    char separator = 0;
    if (file >> separator && separator == '-') {
      file >> last >> separator;
    }
    for (int each = first; each <= last; ++each) {
      numbers.push_back(each);
    }
  }
  return numbers;
}

/// The first number of such a file; `otherwise` if there is none.
int first_of_list(const std::string& path, int otherwise) {
  int first = otherwise;
  std::ifstream(path) >> first;
  return first;
}

void read_caches(processor& at, const std::string& folder) {
  for (int index = 0;; ++index) {
    const std::string cache = folder + "/cache/index" + std::to_string(index);
    const int level = first_of_list(cache + "/level", -1);
    if (level < 0) {
      return;
    }
    if (level == 2) {
      at.l2 = first_of_list(cache + "/shared_cpu_list", at.l2);
    } else if (level == 3) {
      at.l3 = first_of_list(cache + "/shared_cpu_list", at.l3);
    }
  }
}

int read_node(const std::string& folder) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > 4 && name.starts_with("node") &&
        name.find_first_not_of("0123456789", 4) == std::string::npos) {
      return std::stoi(name.substr(4));
    }
  }
  return 0;
}

/// Efficient cores, of which the kernel has a list on Intel's hybrids and capacities on ARM. Not by
/// tbb::info::core_types: in the oneTBB of Debian 12 it is a preview, and the macro that asks for it
/// changes types, in our translation units but not in those of our users.
void read_core_types(std::vector<processor>& processors) {
  const std::vector<int> efficient = read_list("/sys/devices/cpu_atom/cpus");
  for (processor& each : processors) {
    const bool is_fast = std::find(efficient.begin(), efficient.end(), each.id) == efficient.end();
    each.core_type = first_of_list(
        "/sys/devices/system/cpu/cpu" + std::to_string(each.id) + "/cpu_capacity", is_fast ? 1 : 0);
  }
}

processor read_processor(int id) {
  const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(id);
  processor at(id);
  at.core = first_of_list(folder + "/topology/thread_siblings_list", id);
  at.l2 = at.core;
  at.node = read_node(folder);
  at.l3 = at.node;
  read_caches(at, folder);
  return at;
}

#if !defined(HARRIER_SANITIZED)  // oneTBB loads tbbbind in a way that sanitizers refuse fatally
/// Numbers the nodes as oneTBB does. It gives no masks, but binds a thread that enters an arena of a
/// node, if it has its tbbbind library; without that it knows one node, and the kernel's numbers stay.
void number_nodes(std::vector<processor>& processors, const std::vector<int>& nodes) {
  for (const int node : nodes) {
    tbb::task_arena arena(tbb::task_arena::constraints(node, 1));
    std::vector<int> inside;
    arena.execute([&] { inside = affinity_mask(); });
    if (inside.size() == processors.size()) {
      continue;  // nothing was bound
    }
    for (processor& each : processors) {
      if (std::binary_search(inside.begin(), inside.end(), each.id)) {
        each.node = node;
      }
    }
  }
}
#endif

}  // namespace

std::vector<processor> usable_processors() {
  std::vector<processor> processors;
  for (const int id : affinity_mask()) {
    processors.push_back(read_processor(id));
  }
  read_core_types(processors);
#if !defined(HARRIER_SANITIZED)
  if (const std::vector<int> nodes = tbb::info::numa_nodes(); nodes.size() > 1) {
    number_nodes(processors, nodes);
  }
#endif
  return processors;
}

}  // namespace harrier
