// SPDX-License-Identifier: Apache-2.0
// The join word: a stolen child makes a record, lets it go and ends; its parent waits for it; somebody
// cancels it. One of child and parent goes on and sees what the other left; the canceller meets the
// record only while it is there; and a cancel is passed on by one of the two unless it comes too late.
#include "check.hpp"

#include <harrier/detail/join_word.hpp>

namespace harrier::model {
namespace {

using detail::join_word;

class join_model : public suite<join_model, 3> {
 public:
  void thread(unsigned index) {
    if (index == 0) {
      run_child();
    } else if (index == 1) {
      wait_as_parent();
    } else {
      cancel();
    }
  }

  void after() {
    RL_ASSERT(continued_ == 1);
    // The record was not closing yet when the canceller left the cancel to its maker.
    if (left_to_maker_) RL_ASSERT(seen_by_maker_);
  }

 private:
  void run_child() {
    record_($) = made;
    seen_by_maker_ = word_.makes_record();
    is_closing_ = true;
    word_.closes_record();
    record_($) = gone;
    result_($) = 10;
    if (word_.child_ends()) {
      RL_ASSERT(owner_($) == 20);
      ++continued_;
    }
  }

  void wait_as_parent() {
    if (!word_.has_ended()) {
      owner_($) = 20;
      if (word_.parent_waits()) return;
    }
    RL_ASSERT(result_($) == 10);
    ++continued_;
  }

  void cancel() {
    switch (word_.begin_cancel()) {
      case join_word::cancel::too_late:
        RL_ASSERT(result_($) == 10);
        return;
      case join_word::cancel::of_record:
        RL_ASSERT(record_($) == made);
        break;
      case join_word::cancel::left:
        left_to_maker_ = !is_closing_;
        break;
    }
    word_.end_cancel();
  }

  static constexpr int made = 1;
  static constexpr int gone = 2;

  join_word word_;
  rl::var<int> owner_;
  rl::var<int> record_;
  rl::var<int> result_;
  // one schedule runs on one thread
  int continued_ = 0;
  bool is_closing_ = false;
  bool seen_by_maker_ = false;
  bool left_to_maker_ = false;
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  return check<join_model>({.context_bound = 3, .header = "join_word.hpp"});
}
