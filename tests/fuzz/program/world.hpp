// SPDX-License-Identifier: Apache-2.0
// What the tasks of a program share, and the steps that they take: each coroutine here is one step, and
// gives what it is worth to its task.
#pragma once

#include <harrier/runtime.hpp>
#include <harrier/sync/channel.hpp>
#include <harrier/sync/mutex.hpp>
#include <harrier/sync/semaphore.hpp>

#include "specification.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <utility>

namespace harrier::fuzz {

/// What a step of a task fails with.
class step_failed : public std::runtime_error {
 public:
  explicit step_failed(std::size_t task) : std::runtime_error("meant to fail"), number(task) {}
  std::size_t number;
};

/// Plain numbers behind a mutex: whoever is let in too early is seen.
class guarded_place {
 public:
  mutex lock;
  int inside = 0;
  int sum = 0;
  std::atomic<int> completed{0};
};

class shared_channel {
 public:
  explicit shared_channel(std::ptrdiff_t room) : items(room) {}
  channel<unsigned> items;
  std::atomic<std::uint64_t> sent{0};  // sums: every item is another number
  std::atomic<std::uint64_t> received{0};
};

class world {
 public:
  world(runtime& at, const program& of) : rt(at), what(of) {}

  runtime& rt;
  const program& what;
  std::array<guarded_place, shared_things> places;
  shared_channel no_room{0};
  shared_channel some_room{2};
  std::atomic<std::uint64_t> next_item{1};
  semaphore permits{2};
  std::atomic<int> permitted{0};

  shared_channel& channel_of(const step& at) { return at.some % 2 == 0 ? no_room : some_room; }
};

/// The tasks that a task has started and not joined.
using started_tasks = std::map<const task_specification*, join_handle<std::int64_t>>;

/// Takes all its steps, and notes how it ended.
task<std::int64_t> perform(world* in, task_specification* self);

}  // namespace harrier::fuzz
