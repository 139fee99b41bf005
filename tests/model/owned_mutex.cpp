// SPDX-License-Identifier: Apache-2.0
// The owned mutex around a stealable queue: the owner pushes two tasks and pops, two thieves take half,
// one of which asks before it makes the owner pass a barrier.
// Nobody is inside together, every task comes out once, and a thief sees what was written before.
#include "check.hpp"

#include <harrier/detail/owned_mutex.hpp>
#include <harrier/detail/stealable_queue.hpp>

#include "../../runner/src/owned_mutex.cpp"

namespace harrier::model {
namespace {

using detail::ready_list;
using detail::ready_node;

constexpr unsigned tasks = 2;
constexpr unsigned thieves = 2;
constexpr detail::ready_operations no_operations{nullptr, nullptr, nullptr, false};

struct queued : ready_node {
  queued() : ready_node(no_operations) {}
  rl::var<int> payload;
  int taken = 0;  // one schedule runs on one thread
};

class mutex_model : public suite<mutex_model, 1 + thieves> {
 public:
  void before() { mutex_.set_owner(detail::executions[0]); }

  void thread(unsigned index) {
    if (index == 0) {
      for (queued& each : tasks_) {
        each.payload($) = 10;
        const ::std::scoped_lock guard(mutex_);
        enter();
        queue_.push_held(each);
      }
      take(queue_.pop());
    } else {
      ready_node* room[1] = {};
      if (index == 1) {
        mutex_.lock_by_asking(2);
      } else {
        mutex_.lock();
      }
      enter();
      queue_.take_half_held(room);
      mutex_.unlock();
      take(room[0]);
    }
  }

  void after() {
    ready_node* room[1];
    while (!queue_.empty()) take(queue_.take_half_held(room).front());
    for (const queued& each : tasks_) RL_ASSERT(each.taken == 1);
  }

 private:
  /// A data race here is two threads inside.
  void enter() { inside_($) = 1; }

  static void take(ready_node* node) {
    if (node == nullptr) return;
    queued& each = static_cast<queued&>(*node);
    RL_ASSERT(each.payload($) == 10);
    RL_ASSERT(++each.taken == 1);
  }

  detail::owned_mutex mutex_;
  detail::stealable_queue queue_{mutex_};
  queued tasks_[tasks];
  rl::var<int> inside_;
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  // Beyond Relacy, which lets a thread's later stores carry on a release of its own, as C++ did before
  // 2020: the release of an owner that steps back.
  return check<mutex_model>({.context_bound = 2,
                             .has_barriers = true,
                             .steps = {"the light barrier", "the heavy barrier"},
                             .beyond_relacy = {"steps back"}});
}
