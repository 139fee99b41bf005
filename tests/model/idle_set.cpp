// SPDX-License-Identifier: Apache-2.0
// Sleeping and waking: two workers, of which one finds a task that blocks its thread until another task
// has run, and somebody who hands that other one in: from outside, or by a push to a queue of its own.
// A lost wake leaves a thread asleep for ever, which Relacy reports as a deadlock.
//
// The queues are words, as weakly ordered as the shipped ones: those are modelled apart.
#include "check.hpp"
#include "futex.hpp"

#include <harrier/detail/idle_set.hpp>

namespace harrier::model {
namespace {

using detail::idle_set;
using detail::parker;
using detail::sleeper_mark;

constexpr unsigned workers = 2;
constexpr auto never = std::chrono::steady_clock::time_point::max();

class idle_model : public suite<idle_model, workers + 1> {
 public:
  void before() {
    // Both workers have their threads.
    idle_.no_longer_hungry();
    idle_.no_longer_hungry();
  }

  void thread(unsigned index) {
    if (index != workers) {
      serve(index);
    } else if (const unsigned way = rl::rand(3); way == 0) {
      released_by_.store(1, rl::mo_release, $);
      if (idle_.anyone_hungry_after_push()) wake_one();
    } else {
      released_by_.store(1, rl::mo_seq_cst, $);
      // The second is what a spawn does that has just started the first thread.
      way == 1 ? wake_one() : wake_sleeper();
    }
  }

 private:
  void serve(unsigned index) {
    // What a worker reads before it announces itself is as new as can be: stale reads there would only
    // send it round once more, for ever in an exhaustive search.
    while (is_ending_.fetch_add(0, rl::mo_acquire, $) == 0) {
      if (take(released_by_)) {
        release();
      } else if (search()) {
        blocked_.wait_while(1);
        end();
      } else {
        const auto look = [this] { return has_step("the second look") && sees_work(); };
        const auto wait = [&](std::uint32_t ticket) {
          places_[index].park(ticket, never);
          return true;
        };
        idle_.sleep(marks_[index], places_[index], look, wait);
      }
    }
  }

  bool sees_work() {
    return released_by_.load(rl::mo_seq_cst, $) != 0 || is_ending_.load(rl::mo_seq_cst, $) != 0;
  }

  static bool take(rl::atomic<int>& queue) { return queue.exchange(0, rl::mo_acquire, $) != 0; }

  bool search() {
    if (!idle_.may_search(workers)) return false;
    const bool found = take(blocking_);
    if (idle_.ends_search() && found && has_step("the wake chain")) wake_sleeper();
    return found;
  }

  /// The task that the other waits for.
  void release() {
    blocked_.store(0, rl::mo_relaxed);
    blocked_.wake(1);
  }

  void end() {
    is_ending_.store(1, rl::mo_seq_cst, $);
    for (parker& each : places_) each.unpark();
  }

  void wake_one() {
    if (idle_.wants_wake()) wake_sleeper();
  }

  void wake_sleeper() {
    for (unsigned each = 0; each < workers; ++each) {
      if (marks_[each].wake(places_[each])) return;
    }
  }

  idle_set idle_{workers};
  sleeper_mark marks_[workers];
  parker places_[workers];
  rl::atomic<int> released_by_{0};  // 1: the task is there
  rl::atomic<int> blocking_{1};
  atomic<unsigned> blocked_{1};
  rl::atomic<int> is_ending_{0};
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  return check<idle_model>({.context_bound = 2,
                            .has_barriers = true,
                            .header = "idle_set.hpp",
                            .steps = {"the light barrier", "the heavy barrier", "the second look",
                                      "the wake chain", "the futex wake"}});
}
