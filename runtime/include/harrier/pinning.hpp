// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace harrier {

/// Whether worker threads are tied to processors: never outside the affinity mask of the thread that
/// hands in the runtime's first work.
///
/// Errors   a worker that cannot be pinned runs unpinned, and the runtime's exception_handler is told
///          which one and why, with a std::system_error.
/// Cost     the machine is looked at once, when the first thread starts: some milliseconds.
enum class pinning : std::uint8_t {
  /// The kernel decides. It knows what else runs on the machine; the runtime does not.
  none,
  /// One processor for each worker: first the fastest type of core, one hardware thread of each core
  /// before the second, node by node. More workers than processors share them.
  cores,
  /// Any processor of one NUMA node. Workers with neighbouring numbers share a node, and each node
  /// gets workers in proportion to its processors. A machine without NUMA is one node: every worker
  /// may run on every processor of the mask, as with `none`.
  numa_nodes,
};

/// A processor that the process may use, and what it shares with others: equal numbers, the same
/// thing. The kernel's number of one of the processors that share it is a good one.
class processor {
 public:
  processor() noexcept {}
  explicit processor(int kernel_number) noexcept
      : id(kernel_number), core(kernel_number), l2(kernel_number) {}

  int id = 0;  ///< the kernel's number
  int core = 0;
  int l2 = 0;
  int l3 = 0;
  int node = 0;  ///< of memory
  int core_type = 0;  ///< greater is faster
};

/// The processors that the calling thread may use. NUMA nodes as oneTBB sees them, core types, cores
/// and caches as the kernel does; where neither says anything, each processor is a core of its
/// own on one node. Throws std::bad_alloc.
HARRIER_EXPORT std::vector<processor> usable_processors();

}  // namespace harrier
