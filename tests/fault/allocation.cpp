// SPDX-License-Identifier: Apache-2.0
#include "fault/allocation.hpp"

#include <harrier/detail/allocator.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>

namespace harrier::test {
namespace {

// seq_cst throughout: threads that live for longer than a fault see it armed and disarmed
constinit std::atomic<bool> armed{false};
constinit std::atomic<allocation_fault::lasts> lasts{allocation_fault::lasts::once};
constinit std::atomic<long> left{0};
constinit std::atomic<bool> refused{false};
constinit std::atomic<std::chrono::steady_clock::rep> since{0};  // the first refusal

bool is_over() noexcept {
  using steady = std::chrono::steady_clock;
  const steady::rep now = steady::now().time_since_epoch().count();
  steady::rep first = 0;
  if (since.compare_exchange_strong(first, now)) return false;
  return steady::duration(now - first) > allocation_fault::a_while_is;
}

bool refuses() noexcept {
  if (!armed.load()) return false;
  const long nth = left.fetch_sub(1);
  const allocation_fault::lasts how = lasts.load();
  if (nth != 1 && (nth > 1 || how == allocation_fault::lasts::once)) return false;
  if (how == allocation_fault::lasts::a_while && is_over()) return false;
  refused.store(true);
  return true;
}

#if HARRIER_TEST_REPLACES_NEW

void* take(std::size_t bytes, std::size_t alignment) noexcept {
  if (refuses()) return nullptr;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return alignment <= alignof(std::max_align_t)
             ? std::malloc(bytes != 0 ? bytes : 1)
             : std::aligned_alloc(alignment, rounded != 0 ? rounded : alignment);
}

void* take_or_throw(std::size_t bytes, std::size_t alignment) {
  void* block = take(bytes, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

#endif

}  // namespace

allocation_fault::armed_scope::armed_scope(allocation_fault& fault) noexcept : fault_(fault) {
  detail::allocator_fault.store(&refuses);
  left.store(fault.k_);
  harrier::test::lasts.store(fault.how_);
  since.store(0);
  refused.store(false);
  armed.store(true);
}

allocation_fault::armed_scope::~armed_scope() {
  armed.store(false);
  fault_.k_ = left.load();  // the next during() goes on counting
  fault_.injected_ = fault_.injected_ || refused.load();
}

bool allocation_fault::is_want_of_memory(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const exception_group& group) {
    for (const std::exception_ptr& each : group.errors()) {
      if (!is_want_of_memory(each)) return false;
    }
    return true;
  } catch (...) {  // the question was only whether it is one of these
    return false;
  }
}

}  // namespace harrier::test

#if HARRIER_TEST_REPLACES_NEW

using harrier::test::take;
using harrier::test::take_or_throw;

// All of them: a sanitizer's own would not agree with ours about who frees what.
void* operator new(std::size_t bytes) { return take_or_throw(bytes, 1); }
void* operator new[](std::size_t bytes) { return take_or_throw(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return take(bytes, 1); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return take(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment,
                     const std::nothrow_t&) noexcept {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }

#endif
