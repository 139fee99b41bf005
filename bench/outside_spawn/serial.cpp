// SPDX-License-Identifier: Apache-2.0
// outside_spawn as the least that it can be: closures go into a queue and are called, on one
// thread. mutex_queue (spawn_storm): the queue under a mutex; each thread fills its share in, then
// all of them empty it.
#include "config.hpp"

#include <functional>
#include <mutex>

namespace bench::outside_spawn {
namespace {

const contender serial("outside_spawn", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t first, std::uint64_t last, countdown& left) {
    std::deque<std::function<void()>> queue;
    for (std::uint64_t i = first; i < last; ++i) queue.emplace_back([i, &left] { left.count(i); });
    for (; !queue.empty(); queue.pop_front()) queue.front()();
  });
});

class mutex_queue {
 public:
  void push(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(function));
  }
  /// Empty when nothing is left.
  std::function<void()> pop() {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return {};
    std::function<void()> next = std::move(queue_.front());
    queue_.pop_front();
    return next;
  }

 private:
  std::mutex mutex_;
  std::deque<std::function<void()>> queue_;
};

const contender by_hand("spawn_storm", "mutex_queue", {1}, [](std::size_t) {
  auto queue = std::make_shared<mutex_queue>();
  return measure_storm([queue](std::uint64_t first, std::uint64_t last, countdown& left) {
    for (std::uint64_t i = first; i < last; ++i) queue->push([i, &left] { left.count(i); });
    while (const std::function<void()> next = queue->pop()) next();
  });
});

}  // namespace
}  // namespace bench::outside_spawn
