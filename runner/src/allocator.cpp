// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/allocator.hpp>

#include <malloc.h>
#include <oneapi/tbb/scalable_allocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace harrier::detail {

constinit std::atomic<bool (*)() noexcept> allocator_fault{nullptr};

namespace {

bool is_refused() noexcept {
  // relaxed: set by tests, before the threads that they mean to fail
  bool (*const fault)() noexcept = allocator_fault.load(std::memory_order_relaxed);
  return fault != nullptr && fault();
}

}  // namespace

// A sanitizer watches malloc, and cannot see into oneTBB's allocator.
#if defined(HARRIER_SANITIZED)

void* take_from_allocator(std::size_t bytes, std::size_t alignment) noexcept {
  return is_refused() ? nullptr
                      : std::aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
}
void give_to_allocator(void* block) noexcept { std::free(block); }
void trim_allocator() noexcept {}

namespace {
constexpr std::size_t pages_from = static_cast<std::size_t>(-1);  // none
}

#else

namespace {
constexpr std::size_t pages_from = std::size_t{64} << 10;
}

void* take_from_allocator(std::size_t bytes, std::size_t alignment) noexcept {
  return is_refused() ? nullptr : scalable_aligned_malloc(bytes, alignment);
}
void give_to_allocator(void* block) noexcept { scalable_aligned_free(block); }
void trim_allocator() noexcept {
  scalable_allocation_command(TBBMALLOC_CLEAN_THREAD_BUFFERS, nullptr);
  scalable_allocation_command(TBBMALLOC_CLEAN_ALL_BUFFERS, nullptr);
#if defined(__GLIBC__)
  ::malloc_trim(0);  // what users' coroutines had, and the rest of ours
#endif
}

#endif

namespace {

void* take_pages(std::size_t bytes) noexcept {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages != MAP_FAILED ? pages : nullptr;
}

}  // namespace

void* resize_block(void* block, std::size_t bytes, std::size_t wanted) noexcept {
  const bool is_pages = bytes >= pages_from;
  const bool to_pages = wanted >= pages_from;
  void* moved = nullptr;
  if (wanted != 0) {
    if (is_pages && to_pages) {
      moved = is_refused() ? MAP_FAILED : ::mremap(block, bytes, wanted, MREMAP_MAYMOVE);
      return moved != MAP_FAILED ? moved : nullptr;
    }
    moved = !to_pages      ? take_from_allocator(wanted, alignof(std::max_align_t))
            : is_refused() ? nullptr
                           : take_pages(wanted);
    if (moved == nullptr) {
      return nullptr;
    }
  }
  if (block != nullptr) {
    if (moved != nullptr) {
      std::memcpy(moved, block, std::min(bytes, wanted));
    }
    is_pages ? static_cast<void>(::munmap(block, bytes)) : give_to_allocator(block);
  }
  return moved;
}

}  // namespace harrier::detail
