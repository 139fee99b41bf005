// SPDX-License-Identifier: Apache-2.0
// A lock that costs its owner, one loop's thread, two plain stores; whoever else takes it pays for
// a barrier in every thread. For what one thread uses all the time and others rarely look into.
//
// Threads     the owner is the thread that runs the given execution; without one all are alike.
// Protocol    owner: inside = true; barrier; wanted?  if so it steps back, answers the request by its
//                    number, and waits until that is over.
//             other: wanted = the number of its request; barrier; waits until the owner is not inside.
//             thief: the same, but first it waits for the answer, which needs no barrier: an owner that
//                    has many short things to do gives one at once. The number tells the answer from
//                    one to an earlier request, after which the owner may be inside again.
// Rejected    an exchange on each side: 3 ns, twice for each coroutine that is queued.
#pragma once

#include <harrier/detail/asymmetric_barrier.hpp>
#include <harrier/detail/execution.hpp>
#include <harrier/detail/spin_mutex.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

class owned_mutex {
 public:
  owned_mutex() noexcept = default;
  owned_mutex(const owned_mutex&) = delete;
  owned_mutex& operator=(const owned_mutex&) = delete;

  /// Before anybody else can know the mutex.
  void set_owner(const execution& owner) noexcept { owner_ = &owner; }

  void lock() noexcept {
    if (is_owner()) [[likely]] {
      lock_as_owner();
    } else {
      lock_as_other();
    }
  }

  void unlock() noexcept {
    if (is_owner()) [[likely]] {
      unlock_as_owner();
    } else {
      wanted_.store(0, std::memory_order_release);  // [owned_mutex:wanted]
      others_.unlock();
    }
  }

  /// For a thief, who is not the owner: looks `times` for the owner's answer before it makes every thread
  /// pass a barrier.
  HARRIER_EXPORT HARRIER_NOINLINE void lock_by_asking(unsigned times) noexcept;

  // For whoever knows that it is the owner.
  void lock_as_owner() noexcept {
    store_before_loads(inside_, true);
    // acquire: pairs with the release in unlock(): what others did. seq_cst: where the barrier is
    // made of exchanges, this look comes after that of `inside`  [owned_mutex:wanted]
    while (const std::uint64_t request = wanted_.load(std::memory_order_seq_cst)) [[unlikely]] {
      step_back(request);
    }
  }
  void unlock_as_owner() noexcept {
    inside_.store(false, std::memory_order_release);  // [owned_mutex:inside]
  }

 private:
  bool is_owner() const noexcept { return owner_ != nullptr && here() == owner_; }

  HARRIER_EXPORT HARRIER_NOINLINE void step_back(std::uint64_t request) noexcept;
  HARRIER_EXPORT HARRIER_NOINLINE void lock_as_other() noexcept;
  std::uint64_t request() noexcept;
  void keep_out() noexcept;

  const execution* owner_ = nullptr;
  std::atomic<bool> inside_{false};  // the owner writes it
  std::atomic<std::uint64_t> wanted_{0};  // written under others_: a request, or 0
  std::atomic<std::uint64_t> answered_{0};  // the owner writes it
  std::uint64_t requests_ = 0;  // guarded by others_
  spin_mutex others_;
};

}  // namespace harrier::detail
