// SPDX-License-Identifier: Apache-2.0
// Recycled memory for coroutine frames and task records: one cache per event loop, and a small one
// for each thread of ordinary code.
//
// Threads     the thread that runs the loop allocates and frees; any may read the counts.
// Invariant 1 every block comes from the scalable allocator one by one, so that a block may be
//             freed on any thread: into that thread's cache, or straight back to the allocator.
// Invariant 2 a class holds at most `class_bytes`; what is freed beyond that goes to the depot, from
//             which other caches are filled, and when that is full, back to the allocator. A frame
//             that is always freed on another thread than it was made on therefore grows neither
//             side.
// Invariant 3 frames are multiples of 64 bytes, records are not: every second class holds frames
//             only, and frames are counted by what is missing from those, at no cost per frame.
// Rejected    carving frames out of slabs of our own: a slab goes back only when its last frame
//             does, and a frame could no longer be freed without its cache.
#pragma once

#include <harrier/detail/block_depot.hpp>
#include <harrier/detail/config.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace harrier::detail {

class frame_cache {
 public:
  static constexpr std::size_t granule = 32;
  static constexpr std::size_t classes = 33;  // blocks of 0, 32, ... 1024 bytes
#if defined(HARRIER_SANITIZED)
  static constexpr std::size_t class_bytes = 0;  // a sanitizer sees each frame made and freed
#else
  static constexpr std::size_t class_bytes = std::size_t{512} * 1024;
#endif
  static constexpr std::size_t frame_alignment = 64;  // over-aligned locals need it (compilers)

  /// Keeps class_bytes of each class, or that divided by 2^smaller.
  explicit frame_cache(unsigned smaller = 0) noexcept {
    for (std::size_t index = 1; index < classes; ++index) {
      lists_[index].limit = limits[index] >> smaller;
      add(lists_[index].room, lists_[index].limit);
    }
  }
  struct keeps_none {};
  constexpr explicit frame_cache(keeps_none) noexcept {}
  frame_cache(const frame_cache&) = delete;
  frame_cache& operator=(const frame_cache&) = delete;
  ~frame_cache() { trim(); }

  void* allocate_frame(std::size_t bytes) { return allocate(of_frame(bytes)); }
  void free_frame(void* memory, std::size_t bytes) noexcept { free(memory, of_frame(bytes)); }
  /// The same, as far as the lists go. Null, or false: they do not.
  void* take_frame(std::size_t bytes) noexcept { return take(of_frame(bytes)); }
  bool keep_frame(void* memory, std::size_t bytes) noexcept {
    return keep(memory, of_frame(bytes));
  }

  void* allocate(std::size_t bytes) {
    void* memory = take(bytes);
    return memory != nullptr ? memory : refill(bytes);
  }

  void free(void* memory, std::size_t bytes) noexcept {
    if (!keep(memory, bytes)) [[unlikely]] {
      release(memory, index_of(bytes));
    }
  }

  /// Gives everything cached back to the allocator.
  HARRIER_EXPORT void trim() noexcept;
  /// The same for what is on its way between caches.
  HARRIER_EXPORT static void trim_depots() noexcept;

  /// Frames made minus frames freed here; negative where others' frames are freed.
  HARRIER_EXPORT std::int64_t frames_live() const noexcept;
  /// The sum of what each size had at its peak: an upper bound.
  HARRIER_EXPORT std::int64_t frames_peak() const noexcept;

 private:
  static constexpr std::array<std::uint32_t, classes> limits = [] {
    std::array<std::uint32_t, classes> blocks{};
    for (std::size_t index = 1; index < classes; ++index) {
      blocks[index] = static_cast<std::uint32_t>(class_bytes / (index * granule));
    }
    return blocks;
  }();

  static constexpr std::size_t of_frame(std::size_t bytes) noexcept {
    return (bytes + frame_alignment - 1) & ~(frame_alignment - 1);
  }
  static constexpr std::size_t index_of(std::size_t bytes) noexcept {
    return (bytes + granule - 1) / granule;
  }

  void* take(std::size_t bytes) noexcept {
    const std::size_t index = index_of(bytes);
    if (index < classes) [[likely]] {
      free_list& list = lists_[index];
      if (block* head = list.head) [[likely]] {
        list.head = head->next;
        add(list.room, 1u);
        return head;
      }
    }
    return nullptr;
  }
  bool keep(void* memory, std::size_t bytes) noexcept {
    const std::size_t index = index_of(bytes);
    if (index < classes) [[likely]] {
      free_list& list = lists_[index];
      if (list.room.load(std::memory_order_relaxed) != 0) [[likely]] {  // written here alone
        list.head = ::new (memory) block{list.head};
        add(list.room, ~0u);  // one less
        return true;
      }
    }
    return false;
  }

  struct block {
    block* next;
  };
  /// Counts are written by the cache's thread alone, and read by any.
  struct free_list {
    block* head = nullptr;
    std::atomic<std::uint32_t> room{0};  ///< how many more blocks may be kept
    std::uint32_t limit = 0;
    std::atomic<std::int32_t> owned{0};  ///< taken from the allocator minus given back
    std::atomic<std::int32_t> peak{0};  ///< the most that were in use
  };

  HARRIER_EXPORT HARRIER_NOINLINE void* refill(std::size_t bytes);
  HARRIER_EXPORT HARRIER_NOINLINE void release(void* memory, std::size_t index) noexcept;
  template <class Count>
  static void add(std::atomic<Count>& count, Count more) noexcept {
    // counter only: one writer, so a load and a store, not a read-modify-write
    count.store(count.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  /// Fills an empty list from the depot. False: there was nothing.
  static bool restock(free_list& list, std::size_t index) noexcept;
  /// Hands some blocks to the depot. False: the list is too short, or the depot full.
  static bool pass_on(free_list& list, std::size_t index) noexcept;
  /// Gives blocks back until no more than `keep` are left.
  static void shrink(free_list& list, std::uint32_t keep) noexcept;

  std::array<free_list, classes> lists_{};  // the first, of no bytes, counts what is too large
};

/// Has no block and keeps none. Never destroyed: what is static may free a frame at the very end.
union empty_frame_cache {
  constexpr empty_frame_cache() noexcept : cache(frame_cache::keeps_none()) {}
  ~empty_frame_cache() {}
  frame_cache cache;
};
extern HARRIER_EXPORT constinit empty_frame_cache no_frames;

/// For threads that run no loop: each has a small cache.
HARRIER_EXPORT void trim_unowned() noexcept;
HARRIER_EXPORT void* allocate_unowned_frame(std::size_t bytes);
HARRIER_EXPORT void free_unowned_frame(void* block, std::size_t bytes) noexcept;
HARRIER_EXPORT void* allocate_unowned_block(std::size_t bytes);
HARRIER_EXPORT void free_unowned_block(void* block, std::size_t bytes) noexcept;

}  // namespace harrier::detail
