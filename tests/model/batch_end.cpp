// SPDX-License-Identifier: Apache-2.0
// The end of a batch: two workers store a result each and subtract it; the handle asks whether the
// batch is done, or watches and maybe takes the watcher back, and lets go. The batch ends once, by
// somebody who sees both results; so does whoever is told; a watcher is told once or not at all; and
// the results are freed once, by whoever comes last.
#include "check.hpp"

#include <harrier/detail/batch_end.hpp>

namespace harrier::model {
namespace {

using detail::batch_end;
using detail::batch_watcher;

constexpr unsigned workers = 2;

struct watcher : batch_watcher {
  watcher()
      : batch_watcher{[](batch_watcher& self) noexcept { static_cast<watcher&>(self).tell(); }} {}
  void tell() {
    RL_ASSERT(!was_taken_back);
    // What is told is the waiter's to forget at once: nothing is touched after the wake.
    waiting.exchange(0, rl::mo_seq_cst);
    waiting.wake(1);
  }

  atomic<unsigned> waiting{1};
  bool was_taken_back = false;  // one schedule runs on one thread
};

class end_model : public suite<end_model, workers + 1> {
 public:
  void thread(unsigned index) {
    if (index < workers) {
      results_[index]($) = 10;
      if (end_.subtract(1)) complete();
    } else {
      hold_handle();
    }
  }

  void after() {
    RL_ASSERT(completed_ == 1);
    RL_ASSERT(freed_ == 1);
  }

 private:
  void complete() {
    ++completed_;
    see_results();
    const batch_end::outcome outcome = end_.done();
    if (outcome.is_detached) free_results();
    batch_watcher* next = outcome.watchers;
    while (next != nullptr) {
      batch_watcher* told = next;
      next = told->next;
      told->notify(*told);
    }
  }

  void hold_handle() {
    if (rl::rand(2) == 0) {
      if (end_.is_done()) see_results();
    } else if (!end_.watch(watcher_)) {
      see_results();
    } else if (rl::rand(2) == 0 && end_.unwatch(watcher_)) {
      watcher_.was_taken_back = true;
    } else {
      watcher_.waiting.wait_while(1);
      RL_ASSERT(watcher_.waiting.exchange(0, rl::mo_seq_cst) == 0);
      see_results();
    }
    if (end_.abandon()) free_results();
  }

  void see_results() {
    for (auto& each : results_) RL_ASSERT(each($) == 10);
  }

  void free_results() {
    ++freed_;
    for (auto& each : results_) each($) = 0;
  }

  batch_end end_{workers};
  watcher watcher_;
  rl::var<int> results_[workers];
  // one schedule runs on one thread
  int completed_ = 0;
  int freed_ = 0;
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  return check<end_model>({.context_bound = 3, .header = "batch_end.hpp"});
}
