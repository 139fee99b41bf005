// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/asymmetric_barrier.hpp>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace harrier::detail {

constinit std::atomic<bool> has_membarrier{false};

void prepare_heavy_barrier() noexcept {
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0) {
    has_membarrier.store(true, std::memory_order_relaxed);  // threads made later see it
  }
}

void heavy_barrier() noexcept {
  if (has_membarrier.load(std::memory_order_relaxed)) {  // written before this thread was made
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  } else {
    full_barrier();
  }
}

void full_barrier() noexcept {
  // An exchange, because ThreadSanitizer does not know fences.
  static constinit std::atomic<std::uint32_t> line{0};
  line.exchange(0, std::memory_order_seq_cst);
}

}  // namespace harrier::detail
