// SPDX-License-Identifier: Apache-2.0
// The ring of a channel: a sender that puts three items through two slots, two receivers, all by the
// quick ways, and at times by both locks, as those do who wait. Every item comes out once, in order,
// and whoever has it sees what was written before it was sent; a slot is used again only after the
// receiver has left it.
#include "check.hpp"

#include <harrier/detail/published_position.hpp>
#include <harrier/detail/spaced_mutex.hpp>
#include <harrier/detail/two_sided_ring.hpp>

#include <optional>

namespace harrier::model {
namespace {

constexpr int items = 3;
constexpr int slots = 2;

struct family {
  using side_lock = detail::spaced_mutex;
  using position = detail::published_position;
};

/// What the moves into a slot and out of it touch: a race here is two at a slot, or on a side.
struct traces {
  rl::var<int> slot[slots];
  rl::var<int> receiving;
};
traces* seen = nullptr;

struct item {
  explicit item(int number) noexcept : id(number) {}
  item(item&& other) noexcept : id(other.id) {
    seen->slot[id % slots]($) = 1;
    if (rl::thread_index() != 0) seen->receiving($) = 1;
  }
  int id;
};

class ring_model : public suite<ring_model, 3> {
 public:
  void before() { seen = &traces_; }

  void thread(unsigned index) {
    if (index == 0) {
      for (int i = 0; i < items; ++i) {
        payload_[i]($) = i + 10;
        item each(i);
        if (!ring_.try_push(each) && !push_slowly(each)) return;  // full
        sent_ = i + 1;
      }
    } else {
      ::std::optional<item> out;
      if (ring_.try_pop(out) || pop_slowly(out)) take(*out);
    }
  }

  void after() {
    ::std::optional<item> out;
    while (pop_slowly(out)) take(*out);
    for (int i = 0; i < items; ++i) RL_ASSERT(taken_[i] == (i < sent_));
  }

 private:
  bool push_slowly(item& each) {
    const ::std::scoped_lock both(ring_);
    if (ring_.size() == slots) return false;
    ring_.push(each);
    return true;
  }
  bool pop_slowly(::std::optional<item>& out) {
    const ::std::scoped_lock both(ring_);
    if (ring_.size() == 0) return false;
    ring_.pop(out);
    return true;
  }
  void take(item& got) {
    RL_ASSERT(payload_[got.id]($) == got.id + 10);
    RL_ASSERT(++taken_[got.id] == 1);
  }

  detail::two_sided_ring<item, family, slots> ring_{slots};
  traces traces_;
  rl::var<int> payload_[items];
  int taken_[items] = {};  // one schedule runs on one thread
  int sent_ = 0;
};

}  // namespace
}  // namespace harrier::model

int main() {
  using namespace harrier::model;
  return check<ring_model>({.context_bound = 2});
}
