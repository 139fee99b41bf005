// SPDX-License-Identifier: Apache-2.0
// The range word: a dispatcher fills the word of slot 1, slot 2 steals from it, slot 1 steals back;
// everybody cancels. Every position comes out once, and whoever has it sees its input.
#include "check.hpp"

#include <harrier/detail/range_word.hpp>

namespace harrier::model {
namespace {

using detail::position_range;

constexpr unsigned positions = 4;

class range_model : public suite<range_model, 3> {
 public:
  void thread(unsigned index) {
    if (index == 0) {
      for (auto& each : input_) each($) = 10;
      words_[0].install({0, positions});
      end(words_[0].take_all());
      end(words_[1].take_all());
    } else if (index == 1) {
      if (!give_some_back(words_[0])) return;  // not dispatched yet, as far as it knows
      end(words_[0].take_front(1));
      steal(words_[1], words_[0]);
    } else {
      steal(words_[0], words_[1]);
      end(words_[1].take_front(1));
      end(words_[0].take_all());
    }
  }

  void after() {
    end(words_[0].take_all());
    end(words_[1].take_all());
    for (const int count : ended_) RL_ASSERT(count == 1);
  }

 private:
  /// Takes two and starts one. False: there was nothing.
  bool give_some_back(detail::range_word& mine) {
    const position_range taken = mine.take_front(2);
    if (taken.empty()) return false;
    end({taken.first, taken.first + 1});
    if (taken.size() > 1) mine.give_back({taken.first + 1, taken.last});
    return true;
  }

  void steal(detail::range_word& victim, detail::range_word& mine) {
    if (victim.empty() || !mine.empty()) return;
    const position_range half = victim.steal_half();
    if (!half.empty()) mine.install(half);
  }

  void end(position_range taken) {
    for (unsigned each = taken.first; each < taken.last; ++each) {
      RL_ASSERT(input_[each]($) == 10);
      RL_ASSERT(++ended_[each] == 1);
    }
  }

  detail::range_word words_[2];
  rl::var<int> input_[positions];
  int ended_[positions] = {};  // one schedule runs on one thread
};

}  // namespace
}  // namespace harrier::model

int main() { return harrier::model::check<harrier::model::range_model>({}); }
