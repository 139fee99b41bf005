// SPDX-License-Identifier: Apache-2.0
// A random program, as data: tasks, which are lists of steps, of which some have tasks of their own; and
// what the threads of ordinary code do with them. Made from the bytes of an input, and small: a step
// is cheap to drop for a fuzzer that looks for the least program that fails.
#pragma once

#include "fuzz/input.hpp"

#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace harrier::fuzz {

inline constexpr std::size_t most_tasks = 24;  // with steps: beyond it, siblings have none
inline constexpr std::size_t most_numbers = most_tasks + 8;
inline constexpr std::size_t shared_things = 2;  // mutexes, and channels

/// How a task may end.
class prospect {
 public:
  bool with_value = true;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::bitset<most_numbers> failures;  // whose step it is that failed
  bool cancelled = false;
  bool refused = false;  // the runtime had been stopped
};

enum class action : std::uint8_t {
  yield,
  nap,
  lock,
  permit,  // of a semaphore
  send,
  receive,
  close,
  pipe,  // through a channel of its own
  limit,  // a nap with a timeout
  call,
  limited_call,
  start,
  join,
  cancel,
  fork,
  group,
  move,
  offload,
  batch,
  fail,
  last = fail
};

class task_specification;

class step {
 public:
  action what = action::yield;
  unsigned some = 0;  // counts, times and numbers, as the action needs them
  unsigned more = 0;
  bool catches = false;  // call and join: what failed
  std::vector<std::unique_ptr<task_specification>> children;
  task_specification* target = nullptr;  // join and cancel: which started one
};

class task_specification {
 public:
  std::size_t number = 0;
  std::vector<step> steps;
  bool is_target = false;  // of a cancel

  // the model's
  bool can_be_cancelled = false;
  prospect expected;

  // what happened; each is written by one thread at a time, and read when all have ended
  std::atomic<int> handed_in{0};
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  prospect seen;
};

enum class batch_form : std::uint8_t { dispatch, stream, reduce, for_each, last = for_each };
enum class interference : std::uint8_t { none, cancel, drop, pause, deadline, last = deadline };

class batch_specification {
 public:
  batch_form form = batch_form::dispatch;
  unsigned items = 0;
  unsigned turns = 0;  // how often an item yields, at most
  unsigned failing = 0;  // bits: which items fail
  unsigned failures = 0;  // how often each of those does before it succeeds
  unsigned retries = 0;
  unsigned window = 0;  // 0: automatic
  unsigned tolerated = 0;  // 0: fail_fast, 15: collect_all
  unsigned route = 0;
  interference meanwhile = interference::none;
};

enum class move : std::uint8_t { spawn, spawn_on, nap, cancel, batch, trim, stop, last = stop };

class ordinary_step {
 public:
  move what = move::nap;
  unsigned some = 0;
  std::size_t root = 0;  // spawn and cancel
  batch_specification batch;
};

class program {
 public:
  explicit program(input& from);

  std::uint64_t seed = 0;  // of the simulation
  std::size_t workers = 1;
  std::size_t queue_limit = 0;
  bool arena = false;
  bool stops = false;  // before all has ended
  std::vector<std::unique_ptr<task_specification>> roots;
  std::vector<task_specification*> tasks;  // all of them, by number
  std::vector<std::vector<ordinary_step>> threads;

 private:
  std::unique_ptr<task_specification> make_task(input& from, int depth);
  void make_step(input& from, int depth, task_specification& of,
                 std::vector<task_specification*>& started);
  void make_thread(input& from);
};

/// Works out what each task may come to.
void predict(program& of);

}  // namespace harrier::fuzz
