// SPDX-License-Identifier: Apache-2.0
// The parker and the inbox, as an event loop uses them: two threads post to a loop that sleeps when its
// inbox is empty, and that closes it in the end. No post is lost, whoever takes a node sees what was
// written before it was posted, and a post after the close is refused. A lost wake is a deadlock.
#include "check.hpp"
#include "futex.hpp"

#include <harrier/detail/inbox.hpp>
#include <harrier/detail/parker.hpp>

namespace harrier::model {
namespace {

using detail::inbox;
using detail::ready_list;
using detail::ready_node;

constexpr unsigned posters = 2;
constexpr unsigned wanted = 2;  // the loop closes when it has seen so many
constexpr detail::ready_operations no_operations{nullptr, nullptr, nullptr, false};
constexpr auto never = std::chrono::steady_clock::time_point::max();

struct post : ready_node {
  post() : ready_node(no_operations) {}
  rl::var<int> payload;
  int taken = 0;  // one schedule runs on one thread
  bool refused = false;
};

class parker_model : public suite<parker_model, posters + 1> {
 public:
  void thread(unsigned index) {
    if (index == posters) {
      loop();
    } else {
      send(posts_[index]);
      if (index == 0) send(posts_[posters]);
    }
  }

  void after() {
    for (const post& each : posts_) RL_ASSERT(each.taken + each.refused == 1);
  }

 private:
  void send(post& each) {
    each.payload($) = 10;
    switch (inbox_.push(each)) {
      case inbox::pushed::first:
        if (has_step("the wake of the first")) parker_.unpark();
        break;
      case inbox::pushed::later:
        break;
      case inbox::pushed::refused:
        each.refused = true;
        break;
    }
  }

  void loop() {
    ready_list out;
    for (unsigned seen = 0; seen < wanted;) {
      const unsigned before = seen;
      if (!inbox_.empty()) inbox_.take_all(out);
      seen += drain(out);
      if (seen == before) {
        const std::uint32_t ticket = parker_.announce();
        if (has_step("the second look") && !inbox_.empty()) {
          parker_.withdraw();
        } else {
          parker_.park(ticket, never);
        }
      }
    }
    inbox_.close(out);
    drain(out);
  }

  static unsigned drain(ready_list& out) {
    unsigned count = 0;
    while (ready_node* node = out.pop_front()) {
      post& each = static_cast<post&>(*node);
      RL_ASSERT(each.payload($) == 10);
      RL_ASSERT(++each.taken == 1);
      ++count;
    }
    return count;
  }

  inbox inbox_;
  detail::parker parker_;
  post posts_[posters + 1];
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  return check<parker_model>(
      {.context_bound = 2,
       .steps = {"the wake of the first", "the second look", "the futex wake"}});
}
