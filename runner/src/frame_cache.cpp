// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/frame_cache.hpp>

#include <harrier/detail/allocator.hpp>
#include <harrier/detail/frame_count.hpp>
#include <harrier/detail/seam.hpp>

#include <new>
#include <utility>

namespace harrier::detail {

namespace {

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) & ~(to - 1);
}

void* allocate_block(std::size_t bytes) {
  // Frames come rounded up to their alignment, records to the granule; each is aligned likewise.
  const bool frame = bytes % frame_cache::frame_alignment == 0;
  void* block =
      take_from_allocator(bytes, frame ? frame_cache::frame_alignment : frame_cache::granule);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}

constexpr auto pack_blocks = static_cast<std::uint32_t>(block_depot::pack_blocks);

constinit std::array<block_depot, frame_cache::classes> depots;

}  // namespace

constinit empty_frame_cache no_frames;

void* frame_cache::refill(std::size_t bytes) {
  const std::size_t index = (bytes + granule - 1) / granule;
  free_list& list = lists_[index < classes ? index : 0];
  void* memory = nullptr;
  if (index < classes && restock(list, index)) {
    memory = std::exchange(list.head, list.head->next);
    add(list.room, 1u);
  } else {
    memory = allocate_block(round_up(bytes, granule));
    add(list.owned, 1);
  }
  // None was kept, so all were in use, and a whole pack may be before this is seen again. Counters
  // only: this thread alone writes them.
  const std::int32_t owned = list.owned.load(std::memory_order_relaxed);
  if (owned > list.peak.load(std::memory_order_relaxed)) {
    list.peak.store(owned, std::memory_order_relaxed);
  }
  return memory;
}

void frame_cache::release(void* memory, std::size_t index) noexcept {
  free_list& list = lists_[index < classes ? index : 0];
  if (index < classes && pass_on(list, index)) {
    list.head = ::new (memory) block{list.head};
    add(list.room, ~0u);
    return;
  }
  give_to_allocator(memory);
  add(list.owned, -1);
  // The class is full: half of it goes back too, so that a burst does not stay for ever.
  shrink(list, list.limit / 2);
}

bool frame_cache::restock(free_list& list, std::size_t index) noexcept {
  block_depot::pack blocks;
  if (list.limit < pack_blocks || !depots[index].take(blocks, index * granule)) {
    return false;
  }
  for (void* memory : blocks) {
    // Its second line comes from the other core as well: asked for now, it is there when it is written.
    __builtin_prefetch(static_cast<const char*>(memory) + 64, 1);
    list.head = ::new (memory) block{list.head};
  }
  add(list.room, -pack_blocks);
  add(list.owned, static_cast<std::int32_t>(pack_blocks));
  return true;
}

bool frame_cache::pass_on(free_list& list, std::size_t index) noexcept {
  if (list.limit < 2 * pack_blocks) {
    return false;
  }
  block_depot::pack blocks;
  block* next = list.head;
  for (void*& memory : blocks) {
    memory = std::exchange(next, next->next);
  }
  if (!depots[index].give(blocks, index * granule)) {
    return false;
  }
  list.head = next;
  add(list.room, pack_blocks);
  add(list.owned, -static_cast<std::int32_t>(pack_blocks));
  return true;
}

void frame_cache::shrink(free_list& list, std::uint32_t keep) noexcept {
  while (list.limit - list.room.load(std::memory_order_relaxed) > keep) {  // written here alone
    give_to_allocator(std::exchange(list.head, list.head->next));
    add(list.room, 1u);
    add(list.owned, -1);
  }
}

void frame_cache::trim() noexcept {
  for (free_list& list : lists_) {
    shrink(list, 0);
  }
}

void frame_cache::trim_depots() noexcept {
  for (std::size_t index = 1; index < classes; ++index) {
    for (block_depot::pack blocks; depots[index].take(blocks, index * granule);) {
      for (void* memory : blocks) {
        give_to_allocator(memory);
      }
    }
  }
}

namespace {

/// Frames are in every second class, large ones under index 0.
constexpr std::size_t frame_classes_step = frame_cache::frame_alignment / frame_cache::granule;

}  // namespace

std::int64_t frame_cache::frames_live() const noexcept {
  std::int64_t live = 0;
  // counters only, read by any thread: exact while the cache's own is at rest
  for (std::size_t index = 0; index < classes; index += frame_classes_step) {
    const free_list& list = lists_[index];
    live += list.owned.load(std::memory_order_relaxed);
    live -= list.limit - list.room.load(std::memory_order_relaxed);
  }
  return live;
}

std::int64_t frame_cache::frames_peak() const noexcept {
  std::int64_t peak = 0;  // counters only, as in frames_live()
  for (std::size_t index = 0; index < classes; index += frame_classes_step) {
    peak += lists_[index].peak.load(std::memory_order_relaxed);
  }
  return peak;
}

namespace {

/// The cache of a thread for what it makes and frees while it runs no loop.
class ordinary_cache {
 public:
  ordinary_cache() = default;
  ~ordinary_cache();
  ordinary_cache(const ordinary_cache&) = delete;
  ordinary_cache& operator=(const ordinary_cache&) = delete;
  frame_cache frames{5};  // 16 KiB of each class

 private:
  counted_frames counted_{frames};
};

constinit thread_local bool cache_is_gone = false;  // frames freed after it go to the allocator

ordinary_cache::~ordinary_cache() { cache_is_gone = true; }

frame_cache* this_threads_cache() {
  if (cache_is_gone) [[unlikely]] {
    return nullptr;
  }
  static thread_local ordinary_cache cache;
  return &cache.frames;
}

}  // namespace

void trim_unowned() noexcept {
  const seam::thread_memory own;
  if (frame_cache* cache = this_threads_cache()) {
    cache->trim();
  }
}

void* allocate_unowned_block(std::size_t bytes) {
  const seam::thread_memory own;
  frame_cache* cache = this_threads_cache();
  return cache != nullptr ? cache->allocate(bytes) : allocate_block(bytes);
}

void free_unowned_block(void* block, std::size_t bytes) noexcept {
  const seam::thread_memory own;
  if (frame_cache* cache = this_threads_cache()) {
    cache->free(block, bytes);
  } else {
    give_to_allocator(block);
  }
}

void* allocate_unowned_frame(std::size_t bytes) {
  const seam::thread_memory own;
  if (frame_cache* cache = this_threads_cache()) [[likely]] {
    return cache->allocate_frame(bytes);
  }
  void* block = allocate_block(round_up(bytes, frame_cache::frame_alignment));
  count_unowned_frames(+1);
  return block;
}

void free_unowned_frame(void* block, std::size_t bytes) noexcept {
  const seam::thread_memory own;
  if (frame_cache* cache = this_threads_cache()) [[likely]] {
    cache->free_frame(block, bytes);
    return;
  }
  count_unowned_frames(-1);
  give_to_allocator(block);
}

}  // namespace harrier::detail
