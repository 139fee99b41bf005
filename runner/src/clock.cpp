// SPDX-License-Identifier: Apache-2.0
#include <harrier/clock.hpp>

#include <harrier/detail/parker.hpp>
#include <harrier/errors.hpp>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>
#include <vector>

namespace harrier {

clock::~clock() = default;

namespace {

class machine_clock final : public clock {
 public:
  time_point now() noexcept override { return std::chrono::steady_clock::now(); }
  void wait(detail::parker& place, std::uint32_t ticket, time_point deadline, bool) override {
    place.park(ticket, deadline);
  }
};

}  // namespace

clock& steady_clock() noexcept {
  // Never destroyed: a loop may still wait while static objects go.
  alignas(machine_clock) static std::byte room[sizeof(machine_clock)];
  static clock& instance = *::new (room) machine_clock;
  return instance;
}

struct virtual_clock::state {
  struct sleeper {
    detail::parker* place;
    std::uint32_t ticket;
    time_point deadline;
  };

  /// The time to jump to if every loop sleeps and nobody is being woken; else now.
  time_point jump_target() const {
    if (sleepers.size() < loops) {
      return now;
    }
    time_point target = time_point::max();
    for (const sleeper& each : sleepers) {
      if (!each.place->still_asleep(each.ticket)) {
        return now;
      }
      target = std::min(target, each.deadline);
    }
    return target;
  }

  void wake_due() {
    for (const sleeper& each : sleepers) {
      if (each.deadline <= now) {
        each.place->unpark();
      }
    }
  }

  void jump_if_all_sleep() {
    const time_point target = jump_target();
    if (target != time_point::max()) {
      now = std::max(now, target);
      wake_due();
    }
  }

  std::mutex mutex;
  time_point now{};  // guarded by mutex
  std::size_t loops = 0;  // guarded by mutex
  std::vector<sleeper> sleepers;  // guarded by mutex
};

virtual_clock::virtual_clock() : state_(std::make_unique<state>()) {}
virtual_clock::~virtual_clock() = default;

time_point virtual_clock::now() noexcept {
  const std::scoped_lock guard(state_->mutex);
  return state_->now;
}

void virtual_clock::wait(detail::parker& place, std::uint32_t ticket, time_point deadline,
                         bool alone) {
  {
    const std::scoped_lock guard(state_->mutex);
    if (alone && deadline == time_point::max() && place.still_asleep(ticket)) {
      place.withdraw();
      throw deadlock();
    }
    state_->sleepers.push_back({&place, ticket, deadline});
    state_->jump_if_all_sleep();
  }
  place.park(ticket, time_point::max());
  const std::scoped_lock guard(state_->mutex);
  std::erase_if(state_->sleepers, [&](const state::sleeper& each) { return each.place == &place; });
}

void virtual_clock::attach() noexcept {
  const std::scoped_lock guard(state_->mutex);
  ++state_->loops;
}

void virtual_clock::detach() noexcept {
  const std::scoped_lock guard(state_->mutex);
  --state_->loops;
  state_->jump_if_all_sleep();  // it was the last that ran: nobody else would see
}

void virtual_clock::advance(duration by) {
  const std::scoped_lock guard(state_->mutex);
  state_->now = deadline_after(state_->now, by);
  state_->wake_due();
}

}  // namespace harrier
