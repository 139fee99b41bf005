// SPDX-License-Identifier: Apache-2.0
#include "fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define HARRIER_FIBERS_ON_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HARRIER_FIBERS_ON_ASAN 1
#endif
#endif

#if defined(HARRIER_FIBERS_ON_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace harrier::simulated {

namespace {

constexpr std::size_t stack_bytes = std::size_t{1} << 20;
constexpr std::size_t guard_bytes = 4096;

std::vector<stack_memory>& idle_stacks() {
  static auto* const stacks = new std::vector<stack_memory>;  // outlives whoever ends last
  return *stacks;
}

fiber* arriving_from = nullptr;  // who switched to the fiber that takes up now

}  // namespace

stack_memory take_stack() {
  std::vector<stack_memory>& idle = idle_stacks();
  if (!idle.empty()) {
    const stack_memory stack = idle.back();
    idle.pop_back();
    return stack;
  }
  void* memory = ::mmap(nullptr, stack_bytes + guard_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::bad_alloc();
  }
  ::mprotect(memory, guard_bytes, PROT_NONE);
  return {static_cast<std::byte*>(memory) + guard_bytes, stack_bytes};
}

void give_stack(stack_memory stack) noexcept {
#if defined(HARRIER_FIBERS_ON_ASAN)
  __asan_unpoison_memory_region(stack.bottom, stack.bytes);
#endif
  idle_stacks().push_back(stack);
}

void abandon_stack([[maybe_unused]] stack_memory stack) noexcept {
#if defined(HARRIER_FIBERS_ON_ASAN)
  __lsan_register_root_region(stack.bottom, stack.bytes);
#endif
}

// --- the switch itself

#if defined(__x86_64__)

extern "C" void harrier_switch_stack(void** from, void* to) noexcept;
// The registers that a call preserves go to the old stack, and come from the new one.
asm(R"(
.pushsection .text
.type harrier_switch_stack, @function
.hidden harrier_switch_stack
.globl harrier_switch_stack
harrier_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size harrier_switch_stack, .-harrier_switch_stack
.popsection
)");

fiber::fiber(stack_memory stack, void (*entry)()) noexcept : stack_(stack) {
  // As if `entry` had been called from address 0, where unwinding ends: 6 registers, where to go, 0.
  auto* top = reinterpret_cast<void**>(stack.bottom + stack.bytes) - 8;
  std::memset(top, 0, 8 * sizeof(void*));
  top[6] = reinterpret_cast<void*>(entry);
  stack_pointer_ = top;
}

namespace {
void switch_stack(void** from, void* to) noexcept { harrier_switch_stack(from, to); }
}  // namespace

#else

namespace {

// The context lies on the stack that it belongs to.
void switch_stack(void** from, void* to) noexcept {
  ucontext_t here;
  *from = &here;
  ::swapcontext(&here, static_cast<ucontext_t*>(to));
}

}  // namespace

fiber::fiber(stack_memory stack, void (*entry)()) noexcept : stack_(stack) {
  auto* context = ::new (stack.bottom + stack.bytes - sizeof(ucontext_t) - 64) ucontext_t;
  ::getcontext(context);
  context->uc_stack.ss_sp = stack.bottom;
  context->uc_stack.ss_size = stack.bytes - sizeof(ucontext_t) - 128;
  context->uc_link = nullptr;
  ::makecontext(context, entry, 0);
  stack_pointer_ = context;
}

#endif

void fiber::put_down() noexcept {
  execution_ = detail::running_execution;
  transfers_left_ = detail::transfers_left;
  errno_ = errno;
  std::memcpy(&exceptions_, abi::__cxa_get_globals(), sizeof(exceptions_));
}

void fiber::take_up() noexcept {
  detail::set_running(execution_);
  detail::transfers_left = transfers_left_;
  errno = errno_;
  std::memcpy(static_cast<void*>(abi::__cxa_get_globals()), &exceptions_, sizeof(exceptions_));
}

void fiber::go(fiber& next, [[maybe_unused]] bool for_good) noexcept {
  put_down();
  next.take_up();
  arriving_from = this;
#if defined(HARRIER_FIBERS_ON_ASAN)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, next.stack_.bottom,
                                 next.stack_.bytes);
#endif
  switch_stack(&stack_pointer_, next.stack_pointer_);
#if defined(HARRIER_FIBERS_ON_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
#endif
}

void fiber::begin() noexcept {
#if defined(HARRIER_FIBERS_ON_ASAN)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
  if (arriving_from->stack_.bottom == nullptr) {  // the thread's own: now we know where it is
    arriving_from->stack_ = {static_cast<std::byte*>(const_cast<void*>(bottom)), bytes};
  }
#endif
}

void fiber::switch_to(fiber& next) noexcept { go(next, false); }

void fiber::leave_for(fiber& next) noexcept {
  go(next, true);
  __builtin_unreachable();
}

}  // namespace harrier::simulated
