// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/wait_watch.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace harrier::detail {

namespace {

constinit std::mutex watches_mutex;
constinit wait_watch* first_watch = nullptr;  // guarded by the mutex
constinit std::atomic<unsigned> watches{0};  // a hint for those who block

}  // namespace

wait_watch::wait_watch(steady_duration longest, told tell) : longest_(longest), tell_(tell) {
  const std::scoped_lock guard(watches_mutex);
  next_ = first_watch;
  first_watch = this;
  watches.fetch_add(1, std::memory_order_relaxed);  // a hint
}

wait_watch::~wait_watch() {
  std::unique_lock lock(watches_mutex);
  wait_watch** link = &first_watch;
  while (*link != nullptr && *link != this) {
    link = &(*link)->next_;
  }
  if (*link != nullptr) {  // else they were all forgotten
    *link = next_;
    watches.fetch_sub(1, std::memory_order_relaxed);  // a hint
  }
  while (visitors_ != 0) {
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
}

void wait_watch::forget_all() noexcept {
  const std::scoped_lock guard(watches_mutex);
  first_watch = nullptr;
  watches.store(0, std::memory_order_relaxed);  // a hint
}

wait_watch::steady_time wait_watch::next_look(steady_time since, steady_time now) noexcept {
  steady_time next = steady_time::max();
  if (watches.load(std::memory_order_relaxed) == 0) {  // who comes later does not watch this wait
    return next;
  }
  const std::scoped_lock guard(watches_mutex);
  for (const wait_watch* each = first_watch; each != nullptr; each = each->next_) {
    if (now - since < each->longest_) {
      next = std::min(next, since + each->longest_);
    }
  }
  return next;
}

void wait_watch::tell_overdue(steady_time since, steady_time now) noexcept {
  std::unique_lock lock(watches_mutex);
  wait_watch* each = first_watch;
  while (each != nullptr) {
    const bool is_due = now - since >= each->longest_ &&
                        (!each->told_at_ || now - *each->told_at_ >= each->longest_);
    if (!is_due) {
      each = each->next_;
      continue;
    }
    each->told_at_ = now;
    ++each->visitors_;
    lock.unlock();  // what it does may block, and end other watches
    each->tell_(*each, now - since);
    lock.lock();
    --each->visitors_;
    each = first_watch;  // the list may have changed; those that were told are not due any more
  }
}

}  // namespace harrier::detail
