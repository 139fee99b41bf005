// SPDX-License-Identifier: Apache-2.0
// The waiting line of the primitives, as a mutex: three tasks lock and unlock, one of them cancels its
// wait. One at a time is inside and sees what the one before did, the lock is handed on or free in the
// end, nobody waits for ever, and a cancel after the grant loses nothing. The task's state word is
// left out: what it decides (task_record.hpp) is played by a flag of the node's own.
#include "check.hpp"

#include <harrier/detail/waiting_line.hpp>

namespace harrier::model {
namespace {

using detail::atomic_sync_word;
using detail::next_value;
using detail::wait_outcome;
using detail::wait_start;
using detail::waiter_node;
using detail::waiting_line;

constexpr unsigned canceller = 0;

struct task : waiter_node {
  model::atomic<unsigned> woken{0};
};

template <unsigned tasks>
class line_model : public suite<line_model<tasks>, tasks> {
 public:
  void thread(unsigned index) {
    if (line_.try_take(take)) {
      inside();
      return;
    }
    task& self = tasks_[index];
    const auto begin_wait = [this] {
      guarded_($) = 1;
      return true;
    };
    switch (line_.take_or_wait(self, take, begin_wait)) {
      case wait_start::taken:
        inside();
        return;
      case wait_start::cancelled:
        RL_ASSERT(false);
        return;
      case wait_start::waits:
        break;
    }
    if (index == canceller && line_.withdraw(self)) {
      if (flag_.value() == 1) RL_ASSERT(published_($) == 10);  // as an event that is set
      return;
    }
    // Too late to cancel, or no cancel: the waker is on its way.
    while (self.woken.load(rl::mo_acquire) == 0) rl::yield(1, $);
    RL_ASSERT(self.outcome == wait_outcome::granted);
    if (index == canceller) {
      unlock();  // hands the grant back: the value that it would have seen goes to the next
    } else {
      inside();
    }
  }

  void after() {
    RL_ASSERT(line_.value() == 0);
    RL_ASSERT(!line_.has_waiters());
  }

 private:
  static next_value take(std::uint64_t now) {
    return now == 0 ? next_value(1) : next_value::none();
  }
  static next_value give(std::uint64_t now) {
    return now == 1 ? next_value(0) : next_value::none();
  }

  void inside() {
    protected_($) = protected_($) + 1;  // a race here is two at a time, or one that sees too little
    if (flag_.value() == 0) {
      published_($) = 10;
      flag_.try_give([](std::uint64_t) { return next_value(1); });
    }
    unlock();
  }

  void unlock() {
    if (line_.try_give(give)) return;
    line_.enter();
    // Outcomes and links are plain: a race is found by their guard.
    guarded_($) = 1;
    waiter_node* const next =
        has_step("the hand-over") ? line_.queue().pop_front(wait_outcome::granted) : nullptr;
    line_.leave(next != nullptr ? 1 : 0);
    if (next != nullptr) static_cast<task*>(next)->woken.store(1, rl::mo_release);
  }

  waiting_line<atomic_sync_word> line_{0};
  waiting_line<atomic_sync_word> flag_{0};
  task tasks_[tasks];
  rl::var<int> published_{0};
  rl::var<int> protected_{0};
  rl::var<int> guarded_{0};
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  return check<line_model<3>>(
      {.context_bound = 2, .header = "sync_word.hpp", .steps = {"the hand-over"}});
}
