// SPDX-License-Identifier: Apache-2.0
// cross_thread_post without a library. serial: a queue under a mutex with a condition variable,
// drained by a std::thread, as one writes it by hand. futex (post_latency only): a bare futex each
// way.
#include "config.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace bench::cross_thread_post {
namespace {

class queue_thread {
 public:
  queue_thread() : thread_([this] { drain(); }) {}
  ~queue_thread() {
    post({});
    thread_.join();
  }
  void post(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(function));
    posted_.notify_one();
  }

 private:
  void drain() {
    std::unique_lock lock(mutex_);
    while (true) {
      posted_.wait(lock, [this] { return !queue_.empty(); });
      const std::function<void()> function = std::move(queue_.front());
      queue_.pop_front();
      if (!function) return;
      lock.unlock();
      function();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> queue_;
  std::thread thread_;
};

auto make_post() {
  auto thread = std::make_shared<queue_thread>();
  return [thread](std::uint64_t i, sink& to) { thread->post([i, &to] { to.take(i); }); };
}

const contender throughput("cross_thread_post", "serial", {1},
                           [](std::size_t) { return measure(make_post()); });
const contender latency("post_latency", "serial", {1},
                        [](std::size_t) { return measure_latency(make_post()); });

/// A thread that answers every raised flag.
class echo_thread {
 public:
  echo_thread() : thread_([this] { answer(); }) {}
  ~echo_thread() {
    to_ = nullptr;
    asked_.raise();
    thread_.join();
  }
  void ask(sink& to) {
    to_ = &to;
    asked_.raise();
  }

 private:
  void answer() {
    for (asked_.wait(); to_ != nullptr; asked_.wait()) to_->take(0);
  }
  sink* to_ = nullptr;
  futex_flag asked_;
  std::thread thread_;
};

const contender bare("post_latency", "futex", {1}, [](std::size_t) {
  auto thread = std::make_shared<echo_thread>();
  return measure_latency([thread](std::uint64_t, sink& to) { thread->ask(to); });
});

}  // namespace
}  // namespace bench::cross_thread_post
