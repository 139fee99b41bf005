// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/timer_keeper.hpp>

#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace harrier::detail {

timer_keeper::timer_keeper(clock& time, std::size_t slots, std::function<void(std::size_t)> due)
    : clock_(time),
      exact_(&time != &steady_clock()),
      due_(std::move(due)),
      deadlines_(slots, time_point::max()) {
  found_.reserve(slots);
}

timer_keeper::~timer_keeper() { close(); }

bool timer_keeper::keep(std::size_t slot, time_point deadline) noexcept {
  const std::scoped_lock guard(mutex_);
  if (ending_) {
    return true;  // the runtime ends: every slot has been or will be looked after
  }
  if (!thread_.joinable()) {
    // Attached before the thread runs: time must not pass it by.
    clock_.attach();
    try {
      thread_ = std::thread([this] { serve(); });
    } catch (...) {  // no thread, or no memory for one: the slot, which is told, keeps its own
      clock_.detach();
      return false;
    }
  }
  set(slot, deadline);
  return true;
}

void timer_keeper::forget(std::size_t slot) noexcept {
  const std::scoped_lock guard(mutex_);
  set(slot, time_point::max());
}

void timer_keeper::set(std::size_t slot, time_point deadline) noexcept {
  deadlines_[slot] = deadline;
  // On the machine's clock the keeper may wake for a deadline that is gone: it looks, and sleeps on.
  if (deadline < sleeps_until_ || (exact_ && earliest() != sleeps_until_)) {
    place_.unpark();
  }
}

time_point timer_keeper::earliest() const noexcept {
  return *std::min_element(deadlines_.begin(), deadlines_.end());
}

void timer_keeper::take_due() {
  const time_point now = clock_.now();
  for (std::size_t slot = 0; slot < deadlines_.size(); ++slot) {
    if (deadlines_[slot] <= now) {
      deadlines_[slot] = time_point::max();
      found_.push_back(slot);
    }
  }
}

void timer_keeper::serve() {
  ::pthread_setname_np(::pthread_self(), "harrier/timers");
  std::unique_lock lock(mutex_);
  while (!ending_) {
    take_due();
    if (!found_.empty()) {
      lock.unlock();
      for (const std::size_t slot : found_) {
        due_(slot);
      }
      found_.clear();
      lock.lock();
      continue;
    }
    sleeps_until_ = earliest();
    const time_point until = sleeps_until_;
    const std::uint32_t ticket = place_.announce();  // under the lock: what is set later unparks
    lock.unlock();
    clock_.wait(place_, ticket, until, false);
    lock.lock();
    sleeps_until_ = time_point::min();  // awake: looks at all that is set before it sleeps again
  }
  lock.unlock();
  clock_.detach();
}

void timer_keeper::close() noexcept {
  {
    const std::scoped_lock guard(mutex_);
    ending_ = true;
    place_.unpark();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace harrier::detail
