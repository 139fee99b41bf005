// SPDX-License-Identifier: Apache-2.0
// An ordinary function that a loop calls: soon, at a time, or because somebody posted it.
//
// Threads     the loop's, but for cancel().
// Protocol    state    timed    in the loop's heap
//                      queued   in the ready queue or the inbox
//                      ended    called, or dropped by a close                     the loop
//                      withdrawn called off                                       the canceller
//             timed -> queued, ended     the loop: due, or closing
//             queued -> ended            the loop: its turn
//             timed, queued -> withdrawn a canceller, whose the callback is from then on: it destroys
//                                        it at once. A timed node it posts, for the loop to take
//                                        it out of the heap; a queued one is passed over in its turn.
#pragma once

#include <harrier/detail/context_word.hpp>
#include <harrier/detail/timer_heap.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace harrier {
class event_loop;
}

namespace harrier::detail {

/// Owned by its references: the loop's, and the handle's if there is one.
class callback_node final : public timed_suspension {
 public:
  enum class phase : std::uint8_t { timed, queued, ended, withdrawn };

  callback_node(event_loop& loop, std::function<void()> call, phase at, std::uint32_t references)
      : timed_suspension(table),
        loop_(loop),
        callback_(std::move(call)),
        references_(references),
        phase_(at) {}

  /// The loop closes; the node has left the heap.
  void drop_timed() noexcept;

  bool cancel() noexcept;
  bool is_cancelled() const noexcept {
    return phase_.load(std::memory_order_relaxed) == phase::withdrawn;  // carries nothing else
  }
  void drop_reference() noexcept;

  time_point when{};  ///< constant once the handle exists

 private:
  static void run(ready_node& node, execution& at);
  static void discard(ready_node& node) noexcept;
  /// The node has left the heap because its time has come.
  static void due(ready_node& node) noexcept;
  static const ready_operations table;
  /// The loop's claim to the callback. False: a canceller has it.
  bool leave(phase from, phase to) noexcept;

  event_loop& loop_;
  std::function<void()> callback_;
  context_word context_ = context_word::snapshot();  // of whoever registers the callback
  std::atomic<std::uint32_t> references_;
  std::atomic<phase> phase_;
};

}  // namespace harrier::detail
