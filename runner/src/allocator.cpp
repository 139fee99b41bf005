// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/allocator.hpp>

#include <malloc.h>
#include <oneapi/tbb/scalable_allocator.h>

#include <cstdlib>

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

#else

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

}  // namespace harrier::detail
