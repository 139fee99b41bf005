// SPDX-License-Identifier: Apache-2.0
// Where frame caches hand each other blocks. Coroutines that are made on one thread and end on
// another empty the first's cache and fill the second's; by way of the depot the same blocks go
// round, many for one lock.
//
// Threads   any. One spinning lock for each size, held while one pointer changes.
// Bound     `most_bytes` in all depots together: what goes beyond that goes back to the allocator.
// Rejected  linked chains instead of packs: whoever takes one waits for each block's line to come from
//           the other core, one after the other; a pack's blocks are only written to, all at once.
//           A list of returned frames for each cache, to which others push: an atomic operation for
//           every frame, and somebody must outlive the cache. The allocator's own way, which is just
//           that: 290 instructions for the two blocks of a spawned task, on each side.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/spin_mutex.hpp>

#include <array>
#include <atomic>
#include <cstddef>

namespace harrier::detail {

class HARRIER_EXPORT block_depot {
 public:
  static constexpr std::size_t pack_blocks = 64;
  static constexpr std::size_t most_bytes = std::size_t{64} << 20;
  using pack = std::array<void*, pack_blocks>;

  constexpr block_depot() noexcept = default;
  block_depot(const block_depot&) = delete;
  block_depot& operator=(const block_depot&) = delete;

  /// Takes `blocks` of `block_bytes` each. False: there is no room, and nothing was taken.
  bool give(const pack& blocks, std::size_t block_bytes) noexcept;
  /// False: the depot is empty.
  bool take(pack& blocks, std::size_t block_bytes) noexcept;

 private:
  struct packet {
    packet* next;
    pack blocks;
  };

  spin_mutex mutex_;
  std::atomic<packet*> packets_{nullptr};  // written under mutex_; read as a hint
};

}  // namespace harrier::detail
