// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/sync/mutex.hpp>
#include <harrier/task.hpp>

#include <atomic>

namespace harrier {

/// Lets a coroutine run once, whoever comes first, and the others wait for its end: `once_flag`, and
/// `local_once_flag` for one loop.
///
/// Threads   once_flag: any. local_once_flag: the loop that used it first; on another one foreign_loop.
/// Errors    what the coroutine throws goes to the one who ran it; then the next one runs it.
/// Cancel    of the one who runs it: likewise. Of one who waits: it waits no more.
/// Memory    the end of the coroutine happens before each call() returns.
template <class Family>
class basic_once_flag {
 public:
  basic_once_flag() noexcept = default;
  basic_once_flag(const basic_once_flag&) = delete;
  basic_once_flag& operator=(const basic_once_flag&) = delete;

  bool is_done() const noexcept {
    return done_.load(std::memory_order_acquire);  // [once:done]
  }

  /// Awaits `make()` unless that has been done. A closure that owns something is named first.
  template <class Make>
  task<> call(Make make) {
    if (is_done()) {
      co_return;
    }
    auto guard = co_await mutex_.lock();
    if (!is_done()) {
      auto work = make();
      co_await work;
      // release: what it did is visible to who finds it done  [once:done]
      done_.store(true, std::memory_order_release);
    }
  }

 private:
  basic_mutex<Family> mutex_;
  std::atomic<bool> done_{false};
};

using once_flag = basic_once_flag<detail::any_loop>;
using local_once_flag = basic_once_flag<detail::one_loop>;

}  // namespace harrier
