// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/block_depot.hpp>

#include <harrier/detail/allocator.hpp>

#include <mutex>
#include <new>

namespace harrier::detail {

// Orders: relaxed everywhere. The mutex orders the packets, and with them the blocks; what is read
// outside it is a hint, or a counter that bounds memory and publishes nothing.

namespace {

constinit std::atomic<std::size_t> bytes_in_depots{0};

}  // namespace

bool block_depot::give(const pack& blocks, std::size_t block_bytes) noexcept {
  const std::size_t bytes = pack_blocks * block_bytes;
  // relaxed: counter only
  if (bytes_in_depots.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most_bytes) {
    if (void* memory = take_from_allocator(sizeof(packet), alignof(packet))) {
      auto* fresh = ::new (memory) packet{nullptr, blocks};
      const std::scoped_lock guard(mutex_);
      fresh->next = packets_.load(std::memory_order_relaxed);  // under mutex_
      packets_.store(fresh, std::memory_order_relaxed);  // under mutex_
      return true;
    }
  }
  bytes_in_depots.fetch_sub(bytes, std::memory_order_relaxed);  // counter only
  return false;
}

bool block_depot::take(pack& blocks, std::size_t block_bytes) noexcept {
  if (packets_.load(std::memory_order_relaxed) ==
      nullptr) {  // hint: at worst the allocator is asked
    return false;
  }
  packet* first = nullptr;
  {
    const std::scoped_lock guard(mutex_);
    first = packets_.load(std::memory_order_relaxed);  // under mutex_
    if (first != nullptr) {
      packets_.store(first->next, std::memory_order_relaxed);  // under mutex_
    }
  }
  if (first == nullptr) {
    return false;
  }
  blocks = first->blocks;
  give_to_allocator(first);
  bytes_in_depots.fetch_sub(pack_blocks * block_bytes, std::memory_order_relaxed);  // counter only
  return true;
}

}  // namespace harrier::detail
