// SPDX-License-Identifier: Apache-2.0
// Threads for calls that block: made when all are busy, gone after they have been idle.
//
// Threads     any thread submits.
// Rejected    a oneTBB arena: 16 calls of 100 ms on 2 cores take 1.6 s there, one after the other.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace harrier::detail {

/// A call to make; lives in the frame of the coroutine that waits for it.
struct blocking_call {
  explicit blocking_call(void (*work)(blocking_call&) noexcept) noexcept : run(work) {}
  void (*run)(blocking_call& self) noexcept;
  blocking_call* next = nullptr;
};

class HARRIER_EXPORT elastic_pool {
 public:
  elastic_pool(std::size_t most_threads, duration idle) noexcept
      : most_threads_(most_threads), idle_(idle) {}
  elastic_pool(const elastic_pool&) = delete;
  elastic_pool& operator=(const elastic_pool&) = delete;
  ~elastic_pool();

  /// What each thread does first. Before the first submit().
  void on_thread_start(std::function<void()> hook) { on_thread_start_ = std::move(hook); }

  /// Throws std::system_error or std::bad_alloc if the pool has no thread and none can be made.
  void submit(blocking_call& call);
  std::uint64_t threads_started() const noexcept {
    return started_.load(std::memory_order_relaxed);  // counter only
  }

 private:
  void add_thread();
  void serve(std::list<std::thread>::iterator self);

  const std::size_t most_threads_;
  const duration idle_;
  std::function<void()> on_thread_start_;
  std::atomic<std::uint64_t> started_{0};

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable gone_;
  blocking_call* first_ = nullptr;  // guarded by mutex_, like all below
  blocking_call** last_ = &first_;
  std::size_t queued_ = 0;
  std::size_t idle_threads_ = 0;
  std::size_t threads_ = 0;
  bool ending_ = false;
  std::list<std::thread> running_;
  std::list<std::thread> ended_;  // to be joined
};

}  // namespace harrier::detail
