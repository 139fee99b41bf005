// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/elastic_pool.hpp>

#include <pthread.h>

#include <new>
#include <system_error>
#include <utility>

namespace harrier::detail {

elastic_pool::~elastic_pool() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  work_.notify_all();
  gone_.wait(lock, [&] { return threads_ == 0; });
  for (std::thread& each : ended_) {
    each.join();
  }
}

void elastic_pool::submit(blocking_call& call) {
  const std::scoped_lock guard(mutex_);
  if (queued_ >= idle_threads_ && threads_ < most_threads_) {
    // Nobody is free for it: one more thread, unless there are enough.
    add_thread();
  }
  for (std::list<std::thread>& ended = ended_; !ended.empty(); ended.pop_front()) {
    ended.front().join();
  }
  call.next = nullptr;
  *last_ = &call;
  last_ = &call.next;
  ++queued_;
  work_.notify_one();
}

/// Throws only if there is no thread at all: else those that there are do the work.
void elastic_pool::add_thread() {
  std::list<std::thread> fresh;
  try {
    fresh.emplace_back();
    fresh.front() = std::thread([this, self = fresh.begin()] { serve(self); });
  } catch (const std::system_error& failed) {
    if (threads_ == 0) {
      throw std::system_error(failed.code(), "offload_blocking: no thread could be made");
    }
    return;
  } catch (const std::bad_alloc&) {
    if (threads_ == 0) {
      throw;
    }
    return;
  }
  running_.splice(running_.begin(), fresh);  // the thread waits for the mutex before it looks
  ++threads_;
  started_.fetch_add(1, std::memory_order_relaxed);  // counter only
}

void elastic_pool::serve(std::list<std::thread>::iterator self) {
  ::pthread_setname_np(::pthread_self(), "harrier/block");
  if (on_thread_start_) {
    on_thread_start_();
  }
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_threads_;
    const bool found = work_.wait_for(lock, idle_, [&] { return first_ != nullptr || ending_; });
    --idle_threads_;
    if (!found || first_ == nullptr) {
      break;  // idle for long enough, or the end with nothing left
    }
    blocking_call* call = first_;
    first_ = call->next;
    if (first_ == nullptr) {
      last_ = &first_;
    }
    --queued_;
    lock.unlock();
    call->run(*call);
    lock.lock();
  }
  ended_.splice(ended_.begin(), running_, self);
  --threads_;
  gone_.notify_all();
}

}  // namespace harrier::detail
