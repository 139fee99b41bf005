// SPDX-License-Identifier: Apache-2.0
// Whether a thread is in a slot, when threads come and go: never two at once, and no call is lost.
//
// Threads     any thread calls; any thread that answers may enter; only the one inside leaves.
// Protocol    one word:
//   vacant     nobody is inside and nobody was called
//   called     a thread was sent for and has not come          caller, or the one who leaves
//   occupied   a thread is inside                              the thread that enters
//   recalled   the one inside was called while it leaves       caller
//   closed     nobody enters any more                          closer, once
//
//             vacant -> called                call: the caller sends for a thread
//             occupied -> recalled            call: the one inside will see it as it leaves
//             called -> occupied              enter: one of those who answer, the others go away
//             occupied -> vacant              leave
//             recalled -> occupied            leave, which fails: there is work
//             occupied -> called              renew: work is left, but another may do it
//             recalled -> occupied            renew, which fails like leave
//             vacant, called -> closed        close, which waits for the one inside
// Memory      what a thread did inside happens before what the next one does there
//             [occupancy:handover].
// Rejected    a lock that the one inside holds: who comes too early would wait on a thread of
//             oneTBB, and who is called too early would go unheard.
#pragma once

#include <harrier/detail/config.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

class HARRIER_EXPORT occupancy {
 public:
  enum class call_result : std::uint8_t {
    send,  ///< the caller sends for a thread
    heard,  ///< the one inside will see it
    known,  ///< called already, or closed
  };

  occupancy() noexcept = default;
  occupancy(const occupancy&) = delete;
  occupancy& operator=(const occupancy&) = delete;

  call_result call() noexcept;
  /// True: this thread is inside now.
  bool enter() noexcept;
  /// False: called meanwhile, and still inside. After true the slot may be gone.
  bool leave() noexcept;
  /// Leaves although work is left, and the caller sends for a thread; the slot may be gone. False:
  /// called meanwhile, and still inside.
  bool renew() noexcept;

  enum class closed_from : std::uint8_t { vacant, called, closed };
  /// Waits until nobody is inside; nobody enters afterwards.
  closed_from close() noexcept;

  bool is_called() const noexcept {
    return word_.load(std::memory_order_seq_cst) == called;  // hint: enter() decides
  }
  /// Sleeps for a millisecond, or less if called. For the one inside.
  void doze() const noexcept;

 private:
  static constexpr std::uint32_t vacant = 0;
  static constexpr std::uint32_t called = 1;
  static constexpr std::uint32_t occupied = 2;
  static constexpr std::uint32_t recalled = 3;
  static constexpr std::uint32_t closed = 4;

  bool step_out(std::uint32_t to) noexcept;

  std::atomic<std::uint32_t> word_{vacant};
  std::atomic<bool> closing_{false};
};

}  // namespace harrier::detail
