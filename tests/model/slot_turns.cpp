// SPDX-License-Identifier: Apache-2.0
// The turns of a slot, as the threads take them that serve it (runtime/src/deputies.cpp): the first one waits
// in a step for one child, its deputy in a step of its own for another one, and a second deputy serves
// meanwhile; a thief ends both children. One thread at a time has the slot and sees what the others did with
// it; whoever waited sees its child's result; all come back, and in the end are sent home.
#include "check.hpp"
#include "futex.hpp"

#include <harrier/detail/slot_turns.hpp>

namespace harrier::model {
namespace {

using detail::join_word;
using detail::slot_turns;
using detail::turn;

constexpr unsigned deputies = 2;

struct child {
  void end() {
    result($) = 10;
    join.child_ends();
  }
  void see_result() const { RL_ASSERT(result($) == 10); }

  join_word join;
  rl::var<int> result;
};

class turns_model : public suite<turns_model, deputies + 2> {
 public:
  void before() { slot_($) = 0; }

  void thread(unsigned index) {
    if (index == 0) {
      serve_first();
    } else if (index <= deputies) {
      serve_as_deputy(index - 1);
    } else {
      const unsigned sooner = rl::rand(2);
      children_[sooner].end();
      children_[1 - sooner].end();
    }
  }

  void after() { RL_ASSERT(steps_ended_ == 2 && sent_home_ == deputies); }

 private:
  void serve_first() {
    wait_in_step(children_[0], started_[0]);
    while (turns_.anyone_waits()) {
      while (turn* next = turns_.take_one_to_go_on()) {
        leave_slot();
        turns_.step_aside(*next);
        take_slot();
      }
      rl::yield(1, $);
    }
    ends_ = true;
    leave_slot();
    while (turn* each = turns_.take_idle()) each->give();
    for (unsigned each = 0; each < deputies; ++each) {
      if (!was_started_[each]) started_[each].give();
    }
  }

  void serve_as_deputy(unsigned index) {
    started_[index].await();
    if (!ends_) {
      take_slot();
      if (index == 0) {
        turn* const next = turns_.take_anyone();
        wait_in_step(children_[1], next != nullptr ? *next : started_[1]);
      }
    }
    while (!ends_) {
      turn& next = serve_until_wanted();
      leave_slot();
      turns_.idle(next);
      if (!ends_) take_slot();
    }
    ++sent_home_;
  }

  turn& serve_until_wanted() {
    for (;;) {
      if (turn* next = turns_.take_wanted()) return *next;
      rl::yield(1, $);
    }
  }

  void wait_in_step(const child& of, turn& next) {
    for (unsigned each = 0; each < deputies; ++each) was_started_[each] |= &next == &started_[each];
    leave_slot();
    turns_.wait_for(of.join, next);
    take_slot();
    of.see_result();
    ++steps_ended_;
  }

  void take_slot() {
    RL_ASSERT(!is_taken_);
    is_taken_ = true;
    slot_($) = slot_($) + 1;
  }
  void leave_slot() {
    slot_($) = slot_($) + 1;
    is_taken_ = false;
  }

  slot_turns turns_;
  turn started_[deputies];
  child children_[2];
  rl::var<int> slot_;
  // one schedule runs on one thread
  bool is_taken_ = true;
  bool was_started_[deputies] = {};
  bool ends_ = false;
  unsigned steps_ended_ = 0;
  unsigned sent_home_ = 0;
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  return check<turns_model>(
      {.context_bound = 3, .header = "slot_turns.hpp", .steps = {"the futex wake"}});
}
