// SPDX-License-Identifier: Apache-2.0
#include "load.hpp"

#include <harrier/sync/channel.hpp>
#include <harrier/sync/mutex.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace harrier::soak {

namespace {

using namespace std::chrono_literals;

task<int> give(int value) { co_return value; }

task<int> yield_and_give(int turns) {
  for (int i = 0; i < turns; ++i) co_await yield();
  co_return turns;
}

task<int> sleep_and_give(duration time, int value) {
  co_await sleep_for(time);
  co_return value;
}

task<int> fail(int turns) {
  for (int i = 0; i < turns; ++i) co_await yield();
  throw std::runtime_error("meant to fail");
}

task<int> tree(int depth) {
  if (depth == 0) co_return 1;
  auto left = co_await fork(tree(depth - 1));
  auto right_task = tree(depth - 1);
  const int right = co_await right_task;
  const int value = co_await left;
  co_return value + right;
}

task<> produce(channel<int>* to, int count) {
  for (int i = 0; i < count; ++i) co_await to->send(i);
}

task<int> consume(channel<int>* from, int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    auto item = co_await from->receive();
    sum += item.value();
  }
  co_return sum;
}

/// The sum of 0 to count - 1, by way of a channel.
task<int> through_a_channel(int count) {
  channel<int> items(3);
  auto both = when_all(produce(&items, count), consume(&items, count));
  auto results = co_await both;
  co_return std::get<1>(results);
}

task<> add_locked(mutex* lock, int* sum) {
  auto held = co_await lock->lock();
  const int before = *sum;
  co_await yield();
  *sum = before + 1;
}

task<int> behind_a_lock(int count) {
  mutex lock;
  int sum = 0;
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i < count; ++i) group.start(add_locked(&lock, &sum));
    co_return;
  };
  auto op = with_task_group(body);
  co_await op;
  co_return sum;
}

task<int> offloaded(int value, bool blocks) {
  auto work = [value] { return value; };
  if (blocks) {
    auto op = offload_blocking(std::move(work));
    const int got = co_await op;
    co_return got;
  }
  auto op = offload(std::move(work));
  const int got = co_await op;
  co_return got;
}

task<int> within(duration limit, duration time, int value) {
  auto op = with_timeout(limit, sleep_and_give(time, value));
  const int got = co_await op;
  co_return got;
}

/// A task, and what it gives if it ends well.
std::pair<task<int>, int> choose(std::mt19937_64& random) {
  const int some = static_cast<int>(random() % 20);
  const auto time = std::chrono::microseconds(random() % 2000);
  switch (random() % 10) {
    case 0:
      return {yield_and_give(some), some};
    case 1:
      return {sleep_and_give(time, some), some};
    case 2:
      return {fail(some), 0};
    case 3:
      return {sleep_and_give(24h, some), some};  // somebody cancels it
    case 4:
      return {tree(some % 8), 1 << (some % 8)};
    case 5:
      return {through_a_channel(some), some * (some - 1) / 2};
    case 6:
      return {behind_a_lock(some), some};
    case 7:
      return {offloaded(some, random() % 2 == 0), some};
    case 8:
      return {within(1ms, time, some), some};
    default:
      return {give(some), some};
  }
}

}  // namespace

bool load::hand_in() {
  switch (random_() % 8) {
    case 0:
      return one_batch();
    case 1:
      return one_stream();
    default:
      return one_task();
  }
}

bool load::one_task() {
  const bool cancels = random_() % 4 == 0;
  auto [work, expected] = choose(random_);
  ++sum_.submitted;
  std::optional<join_handle<int>> handle;
  try {
    handle.emplace(rt_.spawn(std::move(work), static_cast<priority>(random_() % 3)));
  } catch (const runtime_stopped&) {
    ++sum_.rejected;
    return false;
  }
  // The one that would sleep for a day ends by this, or by the stop.
  if (cancels || !handle->wait_for(20ms)) {
    handle->cancel();
  }
  try {
    if (handle->get() != expected) ++sum_.wrong;
    ++sum_.completed;
  } catch (const cancelled&) {
    ++sum_.cancelled;
  } catch (const std::exception&) {  // as it was meant to, or too late for its timeout
    ++sum_.failed;
  }
  return true;
}

bool load::one_batch() {
  const std::uint64_t count = random_() % 300;
  const std::uint64_t fails_at = random_() % 600;
  const bool cancels = random_() % 4 == 0;
  dispatch_options options;
  switch (random_() % 4) {
    case 0:
      options.round_robin();
      break;
    case 1:
      options.by_key([](std::uint64_t index) { return index / 7; });
      break;
    default:
      break;
  }
  if (random_() % 2 == 0) options.with_window(1 + random_() % 50);
  if (random_() % 4 == 0) options.with_retry(retry_policy().attempts(2));
  if (random_() % 4 == 0) options.with_deadline(1h);
  auto item = [fails_at](std::uint64_t index) -> task<std::uint64_t> {
    if (index % 5 == 0) co_await yield();
    if (index % 31 == 0) co_await sleep_for(10us);
    if (index == fails_at) throw std::runtime_error("meant to fail");
    co_return index;
  };
  sum_.submitted += count;
  try {
    auto op = rt_.dispatch(count, item, std::move(options));
    if (cancels) op.cancel();
    op.wait();
    const batch_counts counts = op.counts();
    sum_.completed += counts.completed;
    sum_.failed += counts.failed;
    sum_.cancelled += counts.cancelled;
    if (counts.completed == count) {
      const auto results = op.get();
      for (std::uint64_t index = 0; index < count; ++index) {
        if (results[index] != index) ++sum_.wrong;
      }
    }
    return true;
  } catch (const runtime_stopped&) {
    sum_.rejected += count;
    return false;
  }
}

bool load::one_stream() {
  const std::uint64_t count = random_() % 300;
  const std::uint64_t reads = random_() % 2 == 0 ? count : random_() % (count + 1);
  auto item = [](std::uint64_t index) -> task<std::uint64_t> {
    if (index % 5 == 0) co_await yield();
    co_return index* index;
  };
  sum_.submitted += count;
  try {
    auto op = rt_.stream(count, item, dispatch_options().with_window(16));
    try {
      for (std::uint64_t read = 0; read < reads; ++read) {
        auto entry = op.wait_next();
        if (!entry) break;
        if (entry->value != entry->index * entry->index) ++sum_.wrong;
      }
    } catch (const cancelled&) {  // the stop; the counts say of how many
    }
    op.cancel();  // what nobody reads
    op.wait();
    const batch_counts counts = op.counts();
    sum_.completed += counts.completed;
    sum_.failed += counts.failed;
    sum_.cancelled += counts.cancelled;
    return true;
  } catch (const runtime_stopped&) {
    sum_.rejected += count;
    return false;
  }
}

}  // namespace harrier::soak
