// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <cstddef>
#include <functional>
#include <latch>
#include <system_error>
#include <thread>
#include <utility>

namespace harrier::test {

/// Holds up one worker, so that what is handed in stays in the queues until release(). Declared after
/// the runtime; its end waits until the worker has let go of it.
class held_worker {
 public:
  explicit held_worker(runtime& rt, std::size_t worker = 0)
      : blocker_(rt.spawn_on(worker, block(*this))) {
    busy_.wait_for(1);
  }
  ~held_worker() {
    release();
    blocker_.wait();
  }
  held_worker(const held_worker&) = delete;
  held_worker& operator=(const held_worker&) = delete;

  void release() {
    if (!released_) release_.count_down();
    released_ = true;
  }

 private:
  static task<> block(held_worker& self) {
    self.busy_.add();
    self.release_.wait();
    co_return;
  }

  std::latch release_{1};
  tally busy_;
  bool released_ = false;
  join_handle<void> blocker_;
};

/// The second thread of a runtime with these options cannot be made.
inline void give_one_thread_only(runtime_options& options) {
  options.provider = thread_provider::own_threads;  // the one with a thread_factory
  options.thread_factory = [made = 0](std::function<void()> body) mutable {
    if (made++ != 0) {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    return std::thread(std::move(body));
  };
}

}  // namespace harrier::test
