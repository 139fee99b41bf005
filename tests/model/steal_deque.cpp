// SPDX-License-Identifier: Apache-2.0
// The steal deque: an owner that pushes items, one by one through a ring that grows, or all at once, and
// pops; two thieves.
// Every item comes out once, and whoever has it sees what was written before it was pushed.
#include "check.hpp"

#include <harrier/detail/steal_deque.hpp>

namespace harrier::model {
namespace {

constexpr int thieves = 2;

template <int items, bool at_once>
class deque_model : public suite<deque_model<items, at_once>, 1 + thieves> {
 public:
  /// There is a ring: a mutant that does not see it would not fail but crash.
  void before() {
    deque_.push(&payload_[0]);
    deque_.pop();
  }

  void thread(unsigned index) {
    if (index == 0) {
      at_once ? push_all() : push_each();
      for (int i = items; i-- != 0;) join(payload_[i]);
    } else {
      take(deque_.steal());
    }
  }

  void after() {
    while (rl::var<int>* left = deque_.pop()) take(left);
    for (const int count : taken_) RL_ASSERT(count == 1);
  }

 private:
  void push_each() {
    for (int i = 0; i < items; ++i) {
      payload_[i]($) = i + 10;
      if (!deque_.push_quickly(&payload_[i])) deque_.push(&payload_[i]);
      if (i == 1) take(deque_.pop());
    }
  }

  void push_all() {
    for (int i = 0; i < items; ++i) payload_[i]($) = i + 10;
    const auto at = [this](std::size_t i) { return &payload_[i]; };
    if (deque_.push_all_quickly(items, at)) return;
    for (rl::var<int>& each : payload_) deque_.push(&each);  // no membarrier
  }

  /// As a parent does: by the short way if that is open.
  void join(rl::var<int>& item) { take(deque_.pop_quickly(&item) ? &item : deque_.pop()); }

  void take(rl::var<int>* item) {
    if (item == nullptr) return;
    const auto index = static_cast<int>(item - payload_);
    RL_ASSERT((*item)($) == index + 10);
    RL_ASSERT(++taken_[index] == 1);
  }

  // A first ring of one slot: the second push makes it grow.
  detail::steal_deque<rl::var<int>, detail::standard_atomics, at_once ? items : 1> deque_;
  rl::var<int> payload_[items];
  int taken_[items] = {};  // one schedule runs on one thread
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  // Beyond Relacy, which explores no load buffering and orders everything that is sequentially
  // consistent as it happened:
  //   make_room  a slot is used again only after top has passed it; otherwise a thief could read what
  //              is stored there after its own exchange of top
  //   pop_quickly  puts back an item that its owner has published before: Relacy lets a thread's later
  //              stores carry on a release of its own, as C++ did before 2020
  //   steal      the first load of top: C++20 gives no place in the total order of sequentially
  //              consistent operations to an acquire that reads another thief's exchange
  // Two items are enough for every mutant to die, and for the first ring of one slot to grow.
  plan how{.context_bound = 2,
           .has_barriers = true,
           .steps = {"the light barrier", "the heavy barrier"},
           .beyond_relacy = {"see_top(top_.load", "for a thief that sees this one",
                             "    std::int64_t top = top_.load"}};
  const int each = check<deque_model<2, false>>(how);
  // What is pushed at once grows no ring: that is judged above.
  how.beyond_relacy.insert(how.beyond_relacy.end(), {"ring_.store(", "ring_.load("});
  const int at_once = check<deque_model<2, true>>(how);
  return each != 0 ? each : at_once;
}
