// SPDX-License-Identifier: Apache-2.0
#include <harrier/batch.hpp>

#include <harrier/detail/wait_facts.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

namespace harrier::detail {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t huge_from = 2 * huge_page;

std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + huge_page - 1) & ~(huge_page - 1);
}

void* map(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::bad_alloc();
  }
  return memory;
}

bool is_whole(void* memory) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory) % huge_page == 0;
}

/// At a multiple of a huge page: what lies before the first one would come in small pages. Linux 6.7
/// and later align so by themselves, if the length is a multiple, too.
void* map_whole_pages(std::size_t bytes) {
  void* memory = map(bytes);
  if (is_whole(memory)) {
    return memory;
  }
  ::munmap(memory, bytes);
  auto* first = static_cast<std::byte*>(map(bytes + huge_page));
  const std::size_t before = huge_page - reinterpret_cast<std::uintptr_t>(first) % huge_page;
  ::munmap(first, before);
  if (before != huge_page) {
    ::munmap(first + before + bytes, huge_page - before);
  }
  return first + before;
}

}  // namespace

void* allocate_results(std::size_t bytes, std::size_t alignment) {
  if (bytes < huge_from) {
    return ::operator new(std::max<std::size_t>(bytes, 1), std::align_val_t(alignment));
  }
  void* memory = map_whole_pages(whole_pages(bytes));
  ::madvise(memory, whole_pages(bytes), MADV_HUGEPAGE);  // a hint: without it it is only slower
  return memory;
}

void free_results(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
  if (bytes < huge_from) {
    ::operator delete(memory, std::align_val_t(alignment));
  } else {
    ::munmap(memory, whole_pages(bytes));
  }
}

void batch_awaiter_base::tell(const ready_node& node, wait_facts& facts) {
  static_cast<const batch_awaiter_base&>(node).batch_->tell(facts);
}

const ready_operations batch_awaiter_base::operations_table =
    suspension::wait_table("a batch", batch_awaiter_base::withdraw, tell);

batch_awaiter_base::batch_awaiter_base(batch_core& batch) noexcept
    : suspension(operations_table),
      batch_watcher{[](batch_watcher& self) noexcept {
        detail::wake(static_cast<batch_awaiter_base&>(self));
      }},
      batch_(&batch) {}

bool batch_awaiter_base::publish() noexcept {
  if (!begin_wait()) {
    return false;
  }
  // Once watched, another thread may resume the coroutine: nothing here is touched afterwards.
  return batch_->watch(*this) || !abandon_wait();
}

withdrawal batch_awaiter_base::withdraw(ready_node& node) noexcept {
  // The cancel goes on to the batch, whose end then resumes the waiter.
  static_cast<batch_awaiter_base&>(node).batch_->cancel();
  return withdrawal::too_late;
}

}  // namespace harrier::detail
