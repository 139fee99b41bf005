// SPDX-License-Identifier: Apache-2.0
// The end of a task: the task leaves a result and ends; two holders let it go at once, ask whether it
// is done, or join and maybe take the joiner back. Who comes to know of the end sees the result, is
// told once, and is not followed by the task; the record is freed once, by whoever lets go last, and is
// nobody's then.
#include "check.hpp"

#include <harrier/detail/task_end.hpp>

namespace harrier::model {
namespace {

using detail::completion;
using detail::joiner_list;
using detail::task_record;
using detail::task_references;

constexpr unsigned holders = 2;

struct joiner : completion {
  joiner()
      : completion(
            [](completion& self, task_record&) noexcept { static_cast<joiner&>(self).tell(); }) {}
  void tell() {
    RL_ASSERT(!was_taken_back);
    RL_ASSERT(field($) == 30);
    // What is told is the waiter's to forget at once: nothing is touched after the wake.
    waiting.exchange(0, rl::mo_seq_cst);
    waiting.wake(1);
  }

  atomic<unsigned> waiting{1};
  rl::var<int> field;
  bool was_taken_back = false;  // one schedule runs on one thread
};

class end_model : public suite<end_model, holders + 1> {
 public:
  void thread(unsigned index) {
    if (index < holders) {
      hold(index);
    } else {
      run_task();
    }
  }

  void after() { RL_ASSERT(freed_ == 1); }

 private:
  void run_task() {
    result_($) = 10;
    completion* first = list_.take();
    if (references_.release()) {
      RL_ASSERT(!is_known_);
      free();
      return;
    }
    while (first != nullptr) {
      completion* const told = std::exchange(first, first->next);
      told->notify(*told, reinterpret_cast<task_record&>(*this));
    }
  }

  void hold(unsigned index) {
    switch (rl::rand(3)) {
      case 0:
        break;
      case 1:
        if (references_.is_done()) see_end();
        break;
      default:
        wait(joiners_[index]);
    }
    left_by_[index]($) = 20;
    if (references_.drop()) free();
  }

  void wait(joiner& mine) {
    mine.field($) = 30;
    if (!list_.join(mine, references_)) {
      see_end();
    } else if (rl::rand(2) == 0 && list_.unjoin(mine)) {
      mine.was_taken_back = true;
    } else {
      mine.waiting.wait_while(1);
      RL_ASSERT(mine.waiting.exchange(0, rl::mo_seq_cst) == 0);
      see_end();
    }
  }

  void see_end() {
    is_known_ = true;
    RL_ASSERT(result_($) == 10);
  }

  void free() {
    ++freed_;
    result_($) = 0;
    for (auto& each : left_by_) RL_ASSERT(each($) == 20);
  }

  task_references references_{holders};
  joiner_list list_;
  joiner joiners_[holders];
  rl::var<int> result_;
  rl::var<int> left_by_[holders];
  // one schedule runs on one thread
  int freed_ = 0;
  bool is_known_ = false;
};

}  // namespace
}  // namespace harrier::model

// What the lock orders are the links, plain words that Relacy does not see; and that a joiner below the
// one taken back is published to take() again: to Relacy the store that unlocks goes on with the release
// sequence of the exchange before it, although its thread is not the one that began it.
int main() {
  using namespace harrier::model;
  return check<end_model>({.header = "task_end.hpp",
                           .beyond_relacy = {"compare_exchange_weak(now, now | locked",
                                             "latest_.store(reinterpret_cast"}});
}
