// SPDX-License-Identifier: Apache-2.0
// From a signal handler to those who act: presses are counted by the handler, taken by a thread that
// may do more than a handler may.
//
// Threads     the handler runs on any thread, at any point. What it does is an atomic addition and
//             at most a wake by the raw system call, both of which are safe there.
// Protocol    sleeper: announces itself, looks for presses, sleeps.   handler: adds, wakes.
//             All four are sequentially consistent, as in parker.hpp: at least one sees the other.
// Invariant 1 a target is visited, by a handler or a blocked thread, only while `visitors` counts it;
//             whoever takes a target out waits for that count to be 0.
// Rejected    signalfd and a self-pipe: descriptors, and a poller that loops do not have.
//             A thread that waits in sigwait: a thread nobody asked for.
//             To swap the handlers for each run, as asyncio does: two system calls a run.
#pragma once

#include <harrier/signals.hpp>

#include <atomic>
#include <cstdint>

namespace harrier::detail {

class HARRIER_EXPORT press_target {
 public:
  using visit = void (*)(press_target& self) noexcept;

  /// `on_press` is called by the handler; `on_block` by a thread of ordinary code that blocks
  /// for coroutines; null: nobody blocks.
  press_target(visit on_press, visit on_block) noexcept : wake_(on_press), deliver_(on_block) {}
  press_target(const press_target&) = delete;
  press_target& operator=(const press_target&) = delete;

  /// Exact for a sleeper that has announced itself.
  bool is_pressed() const noexcept { return presses_.load(std::memory_order_seq_cst) != 0; }
  /// A hint.
  bool may_be_pressed() const noexcept { return presses_.load(std::memory_order_relaxed) != 0; }
  /// How many presses have come and are no longer there.
  std::uint32_t take() noexcept { return presses_.exchange(0, std::memory_order_seq_cst); }
  /// The latest signal.
  int signal() const noexcept { return signal_.load(std::memory_order_relaxed); }  // a hint

  bool is_delivered_by_blocked() const noexcept { return deliver_ != nullptr; }

  // For the handler, and for those who block.
  void press(int signal) noexcept {
    signal_.store(signal, std::memory_order_relaxed);  // a hint
    presses_.fetch_add(1, std::memory_order_seq_cst);
    wake_(*this);
  }
  void deliver() noexcept {
    if (deliver_ != nullptr && is_pressed()) {
      deliver_(*this);
    }
  }

 private:
  std::atomic<std::uint32_t> presses_{0};
  std::atomic<int> signal_{0};
  const visit wake_;
  const visit deliver_;
};

/// The handlers of a target, for a scope. A signal that somebody handles already, or ignores, is left
/// alone; so is one whose handler cannot be set.
class HARRIER_EXPORT signal_handlers {
 public:
  signal_handlers(press_target& target, signals which) noexcept;
  /// The same for one signal, that asks for a dump. Nothing if it is none, or there is no place left: four
  /// are served at once.
  signal_handlers(press_target& target, int signal) noexcept;
  /// Puts back what was there, unless the program has set another handler since.
  ~signal_handlers();
  signal_handlers(const signal_handlers&) = delete;
  signal_handlers& operator=(const signal_handlers&) = delete;

  signals handled() const noexcept { return handled_; }

 private:
  void count_blocked_delivery(int more) noexcept;

  press_target& target_;
  signals handled_ = signals::none;
  int dump_signal_ = 0;
};

/// Whether a blocked thread has to look now and then.
HARRIER_EXPORT bool blocked_threads_deliver() noexcept;
/// Delivers the presses that a blocked thread may deliver.
HARRIER_EXPORT void deliver_while_blocked() noexcept;

}  // namespace harrier::detail
