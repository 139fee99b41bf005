// SPDX-License-Identifier: Apache-2.0
// Where memory comes from that grows with the number of coroutines: oneTBB's scalable allocator, which
// can be asked to give the system what it does not need.
//
// Threads   any, and a block may go back on another one than it came from.
// Rejected  the C library's for containers: what lies on top of a thread's arena stays there for good,
//           4 MB after 300 k timers.
#pragma once

#include <harrier/detail/config.hpp>

#include <atomic>
#include <cstddef>
#include <new>

namespace harrier::detail {

/// Null: there is no memory.
HARRIER_EXPORT void* take_from_allocator(std::size_t bytes, std::size_t alignment) noexcept;
HARRIER_EXPORT void give_to_allocator(void* block) noexcept;
/// Changes the size of a block that this made (null: of no bytes) and keeps what fits of its content.
/// Large blocks are pages of their own, which are not copied; those that nobody has written to take no
/// memory. Null: there is no memory and nothing has changed, or none was asked for and the block is gone.
HARRIER_EXPORT void* resize_block(void* block, std::size_t bytes, std::size_t wanted) noexcept;
/// Gives the system what the allocator keeps for this thread, and for all. Costs milliseconds.
HARRIER_EXPORT void trim_allocator() noexcept;

/// Asked for each block; true: there is none. Null: never. A seam for tests/fault.
extern HARRIER_EXPORT std::atomic<bool (*)() noexcept> allocator_fault;

/// For containers.
template <class T>
class allocator {
 public:
  using value_type = T;

  allocator() noexcept = default;
  template <class U>
  allocator(const allocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    void* memory = count <= static_cast<std::size_t>(-1) / bytes_each
                       ? take_from_allocator(count * bytes_each, alignof(std::max_align_t))
                       : nullptr;
    if (memory == nullptr) {
      throw std::bad_alloc();
    }
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) noexcept {
    give_to_allocator(static_cast<void*>(memory));
  }

  friend bool operator==(const allocator&, const allocator&) noexcept { return true; }

 private:
  // NOLINTNEXTLINE(bugprone-sizeof-expression): T is a pointer in queues, and its size is what is meant
  static constexpr std::size_t bytes_each = sizeof(T);
};

}  // namespace harrier::detail
