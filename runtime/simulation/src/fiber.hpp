// SPDX-License-Identifier: Apache-2.0
// A stack of its own to run on, and the switch from one to another: what a virtual thread is made of.
//
// What C++ and harrier keep for each thread changes with the stack: errno, the exceptions that are
// being handled, the loop that runs. Every other thread_local is shared by all fibers.
#pragma once

#include <harrier/detail/execution.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace harrier::simulated {

/// Memory of a stack, with a page below it that faults.
struct stack_memory {
  std::byte* bottom = nullptr;
  std::size_t bytes = 0;
};

/// From a pool that never shrinks. Throws std::bad_alloc.
stack_memory take_stack();
void give_stack(stack_memory stack) noexcept;
/// Nobody will run on `stack` again, and what it refers to is not a leak.
void abandon_stack(stack_memory stack) noexcept;

class fiber {
 public:
  /// Whatever runs now.
  fiber() noexcept = default;
  /// Will run `entry`, which never returns, on `stack`.
  fiber(stack_memory stack, void (*entry)()) noexcept;
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  /// Leaves off here, at which this returns when somebody switches back, and goes on there.
  void switch_to(fiber& next) noexcept;
  /// The same for one that has ended: it does not come back.
  [[noreturn]] void leave_for(fiber& next) noexcept;
  /// The first thing that `entry` does.
  static void begin() noexcept;

  stack_memory stack() const noexcept { return stack_; }
  detail::execution* execution() const noexcept { return execution_; }

 private:
  /// What __cxa_get_globals() refers to.
  using exception_state = std::array<std::byte, 2 * sizeof(void*)>;

  void go(fiber& next, bool for_good) noexcept;
  void put_down() noexcept;
  void take_up() noexcept;

  void* stack_pointer_ = nullptr;
  stack_memory stack_;
  void* fake_stack_ = nullptr;  // AddressSanitizer's
  detail::execution* execution_ = nullptr;
  std::uint32_t transfers_left_ = 1;
  int errno_ = 0;
  exception_state exceptions_{};
};

}  // namespace harrier::simulated
