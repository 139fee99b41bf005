// SPDX-License-Identifier: Apache-2.0
// Which of the threads that serve a slot by turns has it: the others sleep, each until it is given a turn.
//
// Threads     one has the slot, and every call is that one's.
// Protocol    a turn is given once, by the thread that has the slot. That thread has put its own turn
//             where another one will find it, and awaits it then.
// Memory      what a thread did with the slot happens before what the next one does [turn:given].
#pragma once

#include <harrier/detail/join_word.hpp>
#include <harrier/detail/parker.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace harrier::detail {

class turn {
 public:
  turn() noexcept {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

  void give() noexcept {
    const std::atomic<std::uint32_t>& word = given_;
    given_.store(1, std::memory_order_release);  // [turn:given]
    // Whoever had this turn may be gone by now: a wake needs no more than an address.
    futex_wake(word, 1);
  }
  void await() noexcept {
    while (given_.load(std::memory_order_acquire) == 0) {  // [turn:given]
      futex_wait(given_, 0, std::chrono::steady_clock::time_point::max());
    }
  }

 private:
  std::atomic<std::uint32_t> given_{0};
};

/// Those that sleep. Whom it names is taken out of it, and has to be given the turn.
class slot_turns {
 public:
  /// Whether a thread sleeps in the middle of a step.
  bool anyone_waits() const noexcept { return first_ != nullptr; }
  std::size_t idle() const noexcept { return idle_count_; }

  // Each gives the slot to `next`, and returns when this thread has it again.

  /// In a step, which goes on when the child has ended.
  void wait_for(const join_word& child, turn& next) noexcept {
    sleeper self;
    self.child = &child;
    *last_ = &self;
    last_ = &self.next;
    pass(next, self);
  }
  /// The thread that serves the slot when nobody waits.
  void step_aside(turn& next) noexcept {
    sleeper self;
    principal_ = &self;
    pass(next, self);
  }
  /// A deputy with nothing to go back to.
  void idle(turn& next) noexcept {
    sleeper self;
    self.next = std::exchange(idle_, &self);
    ++idle_count_;
    pass(next, self);
  }

  // Null: there is none.

  turn* take_anyone() noexcept {
    turn* const wanted = take_wanted();
    return wanted != nullptr ? wanted : take_idle();
  }
  /// Whose turn comes before that of a deputy, who has nothing but the slot's work to do.
  turn* take_wanted() noexcept {
    return principal_ != nullptr ? std::exchange(principal_, nullptr) : take_one_to_go_on();
  }
  /// The child has ended; the first to come first.
  turn* take_one_to_go_on() noexcept {
    for (sleeper** at = &first_; *at != nullptr; at = &(*at)->next) {
      sleeper* const each = *at;
      if (each->child->has_ended()) {
        *at = each->next;
        if (last_ == &each->next) {
          last_ = at;
        }
        return each;
      }
    }
    return nullptr;
  }
  turn* take_idle() noexcept {
    sleeper* const one = idle_;
    if (one != nullptr) {
      idle_ = one->next;
      --idle_count_;
    }
    return one;
  }

 private:
  struct sleeper : turn {
    const join_word* child = nullptr;  // in a step: what it waits for
    sleeper* next = nullptr;
  };

  static void pass(turn& next, turn& own) noexcept {
    next.give();
    own.await();
  }

  sleeper* first_ = nullptr;  // in a step, the first to come first
  sleeper** last_ = &first_;
  sleeper* idle_ = nullptr;
  std::size_t idle_count_ = 0;
  sleeper* principal_ = nullptr;
};

}  // namespace harrier::detail
