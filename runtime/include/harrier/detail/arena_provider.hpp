// SPDX-License-Identifier: Apache-2.0
// Threads of oneTBB for the slots: whoever gives a vacant slot work sends an "occupy this slot" to
// the runtime's arena, and the thread goes back to oneTBB when it finds nothing more to do there.
//
// Threads     any thread summons; threads of oneTBB answer; a watch looks after both.
// Invariant 1 at most one thread is in a slot (occupancy.hpp).
// Invariant 2 a slot that was called is entered: by oneTBB, or by a stand-in, a thread of our own,
//             when oneTBB has sent nobody for one to two ticks of the watch.
// Protocol    (1) wake: whoever clears the sleeping bit of the slot's parker summons, so that there
//                 is one call for each transition.
//             (2) an answer enters, or goes away if another has.
//             (3) inside: until a bounded search finds nothing, or the slice is over and oneTBB
//                 shall decide anew what its thread does.
//             (4) leave: timers go to the keeper; who was called meanwhile stays.
// Lifetime    an answer may come late, when stand-ins have done the work and the runtime has gone:
//             it holds the provider, and finds the slot not called. The process may end before oneTBB
//             gets to it; in oneTBB's memory leak checkers see no owner, so providers are in a list.
// Rejected    waiting for oneTBB however long it takes: with all of its threads waiting for
//             coroutines, in tasks that call runtime::run(), nobody would ever come.
//             A stand-in at once: a second set of threads, which is what the provider is to avoid.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/elastic_pool.hpp>
#include <harrier/detail/occupancy.hpp>
#include <harrier/detail/parker.hpp>
#include <harrier/detail/timer_keeper.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace harrier::detail {

class runtime_core;

class HARRIER_EXPORT arena_provider : public std::enable_shared_from_this<arena_provider> {
 public:
  /// How long a thread stays in a slot that always has work before oneTBB may send it elsewhere.
  static constexpr std::chrono::milliseconds slice{10};
  static constexpr std::chrono::milliseconds stand_in_slice{100};
  static constexpr std::chrono::milliseconds tick{10};

  /// How large an arena for `workers` is made: no larger than oneTBB can fill, or it would say so on
  /// stderr. One place is for a thread from outside.
  static int arena_size(std::size_t workers);

  arena_provider(runtime_core& core, clock& time, std::size_t slots);
  ~arena_provider();

  /// Brings `slot` into use. Throws std::system_error if the watch cannot be made.
  void begin(std::size_t slot);
  /// Lets a thread of the arena make `call`, and counts it in `under_way` until it is over. Throws
  /// std::bad_alloc.
  void enqueue(blocking_call& call, std::atomic<std::uint64_t>& under_way);
  /// Called instead of a futex wake when the slot's parker is unparked.
  parker::summons& summons(std::size_t slot) noexcept;
  /// Waits until no thread is in any slot; none enters afterwards.
  void close() noexcept;

  timer_keeper& timers() noexcept { return timers_; }
  occupancy& seat_of(std::size_t slot) noexcept;
  std::uint64_t stand_ins() const noexcept {
    return stand_ins_.load(std::memory_order_relaxed);  // counter only
  }

 private:
  struct seat;
  struct arena;

  void summon(std::size_t slot) noexcept;
  void send(std::size_t slot) noexcept;
  void answer(std::size_t slot, std::chrono::milliseconds how_long) noexcept;
  void stand_in(std::size_t slot) noexcept;
  void watch();
  bool saw_calls() noexcept;

  // constant after construction
  runtime_core& core_;  // there while any slot is occupied, or called by one who needs it
  clock& clock_;
  std::unique_ptr<arena> arena_;
  std::unique_ptr<seat[]> seats_;
  const std::size_t slots_;

  timer_keeper timers_;
  parker watch_place_;
  std::atomic<std::uint32_t> ending_{0};
  std::atomic<std::uint64_t> stand_ins_{0};
  std::thread watch_;  // guarded by the core's mutex

  // the list of all that exist, guarded by its mutex
  arena_provider* next_ = nullptr;
  arena_provider** place_ = nullptr;  // that points to this one

  elastic_pool pool_;  // last: its threads end before the rest goes
};

}  // namespace harrier::detail
