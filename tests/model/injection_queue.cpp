// SPDX-License-Identifier: Apache-2.0
// The injection queue and the wake of a submit: two threads hand a task in each, one worker takes what
// is there, under the lobby's lock, and sleeps when it sees none. Every task comes out once, with what
// was written before it was handed in. A lost wake is a deadlock.
#include "check.hpp"

#include <harrier/detail/idle_set.hpp>
#include <harrier/detail/injection_queue.hpp>
#include <harrier/detail/owned_mutex.hpp>

#include <mutex>

#include "../../runner/src/owned_mutex.cpp"

namespace harrier::detail {

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::chrono::steady_clock::time_point) noexcept {
  word.wait_while(expected);
}
void futex_wake(const std::atomic<std::uint32_t>& word, int threads) noexcept {
  word.wake(threads);
}

}  // namespace harrier::detail

namespace harrier::model {
namespace {

using detail::injection_queue;
using detail::ready_node;

constexpr detail::ready_operations no_operations{nullptr, nullptr, nullptr, false};
constexpr auto never = std::chrono::steady_clock::time_point::max();

struct handed_in : ready_node {
  handed_in() : ready_node(no_operations) {}
  rl::var<int> payload;
  int taken = 0;  // one schedule runs on one thread
};

template <unsigned producers>
class injection_model : public suite<injection_model<producers>, producers + 1> {
 public:
  void before() { idle_.no_longer_hungry(); }  // the worker has its thread

  void thread(unsigned index) {
    if (index == producers) {
      serve();
    } else {
      submit(tasks_[index], index == 0 ? priority::low : priority::normal);
    }
  }

  void after() {
    for (const handed_in& each : tasks_) RL_ASSERT(each.taken == 1);
  }

 private:
  void submit(handed_in& task, priority urgency) {
    task.payload($) = 10;
    {
      const ::std::scoped_lock guard(lobby_);
      queue_.push(task, urgency);
    }
    if (has_step("the wake after a submit") && idle_.wants_wake()) mark_.wake(place_);
  }

  void serve() {
    for (unsigned seen = 0; seen < producers;) {
      if (const unsigned now = take(); now != 0) {
        seen += now;
        continue;
      }
      // A submit that leaves its task to this search is seen by the look before the sleep.
      if (idle_.may_search(1)) {
        const unsigned found = take();
        idle_.ends_search();
        seen += found;
        if (found != 0) continue;
      }
      const auto look = [this] { return has_step("the second look") && queue_.size() != 0; };
      const auto wait = [this](std::uint32_t ticket) {
        place_.park(ticket, never);
        return true;
      };
      idle_.sleep(mark_, place_, look, wait);
    }
  }

  unsigned take() {
    if (queue_.size() == 0) return 0;
    injection_queue::pack room;
    ::std::span<ready_node* const> taken;
    {
      const ::std::scoped_lock guard(lobby_);
      taken = queue_.take(room, 1);
    }
    for (ready_node* node : taken) {
      handed_in& each = static_cast<handed_in&>(*node);
      RL_ASSERT(each.payload($) == 10);
      RL_ASSERT(++each.taken == 1);
    }
    return static_cast<unsigned>(taken.size());
  }

  detail::owned_mutex lobby_;
  injection_queue queue_;
  detail::idle_set idle_{1};
  detail::sleeper_mark mark_;
  detail::parker place_;
  handed_in tasks_[producers];
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  // One that hands in is enough for every mutant to die.
  return check<injection_model<2>, injection_model<1>>(
      {.context_bound = 1,
       .has_barriers = true,
       .header = "injection_queue.hpp",
       .steps = {"the wake after a submit", "the second look"}});
}
