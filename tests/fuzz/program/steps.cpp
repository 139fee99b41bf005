// SPDX-License-Identifier: Apache-2.0
#include <harrier/sleep.hpp>
#include <harrier/timeout.hpp>

#include "fuzz/expect.hpp"
#include "world.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>

namespace harrier::fuzz {

namespace {

using namespace std::chrono_literals;
using worth = std::int64_t;

constexpr auto tick = 100us;

/// Undone on the way out, also when a cancel is thrown.
class counted_in {
 public:
  explicit counted_in(int& count) noexcept : count_(count) { ++count_; }
  ~counted_in() { --count_; }
  counted_in(const counted_in&) = delete;
  counted_in& operator=(const counted_in&) = delete;

 private:
  int& count_;
};

task<> turns(unsigned count) {
  for (; count != 0; --count) co_await yield();
}

task<worth> yield_step() {
  co_await yield();
  co_return 1;
}

task<worth> nap_step(unsigned ticks) {
  const time_point before = this_loop().now();
  co_await sleep_for(ticks * tick);
  expect(this_loop().now() - before >= ticks * tick, "a sleep ended early");
  co_return 1;
}

task<worth> lock_step(world* in, unsigned some) {
  guarded_place& place = in->places[some % shared_things];
  auto guard = co_await place.lock.lock();
  expect(place.inside == 0, "two tasks hold one mutex");
  const counted_in inside(place.inside);
  const int before = place.sum;
  auto others_run = turns(some / 2 % 4);
  co_await others_run;
  place.sum = before + 1;
  place.completed.fetch_add(1);
  co_return 1;
}

task<worth> permit_step(world* in, unsigned some) {
  auto permit = co_await in->permits.acquire_permit();
  expect(in->permitted.fetch_add(1) < 2, "three tasks have a permit of two");
  class back {
   public:
    explicit back(std::atomic<int>& of) : of_(of) {}
    ~back() { of_.fetch_sub(1); }
    back(const back&) = delete;
    back& operator=(const back&) = delete;

   private:
    std::atomic<int>& of_;
  };
  const back at_end(in->permitted);
  auto others_run = turns(some % 4);
  co_await others_run;
  co_return 1;
}

task<> send_one(world* in, shared_channel* to) {
  const std::uint64_t item = in->next_item.fetch_add(1);
  co_await to->items.send(static_cast<unsigned>(item));
  to->sent.fetch_add(item);
}

task<> receive_one(shared_channel* from) {
  const auto item = co_await from->items.receive();
  if (!item) throw channel_closed();
  from->received.fetch_add(*item);
}

/// 1: done; 2: the time was over first; 3: the channel is closed.
task<worth> in_time(unsigned ticks, task<> exchange) {
  try {
    auto op = with_timeout(ticks * tick, std::move(exchange));
    co_await op;
    co_return 1;
  } catch (const timed_out&) {
    co_return 2;
  } catch (const channel_closed&) {
    co_return 3;
  }
}

task<> send_numbers(channel<unsigned>* to, unsigned count) {
  for (unsigned next = 0; next < count; ++next) co_await to->send(next);
}

task<worth> sum_of_numbers(channel<unsigned>* from, unsigned count) {
  worth sum = 0;
  for (unsigned next = 0; next < count; ++next) {
    const auto item = co_await from->receive();
    expect(item && *item == next, "a channel is not first in, first out");
    sum += *item;
  }
  co_return sum;
}

task<worth> pipe_step(unsigned count, unsigned room) {
  channel<unsigned> items(static_cast<std::ptrdiff_t>(room));
  auto both = when_all(send_numbers(&items, count), sum_of_numbers(&items, count));
  const auto results = co_await both;
  co_return std::get<1>(results);
}

task<> nap_for(duration time) { co_await sleep_for(time); }

task<worth> limit_step(unsigned limit_ticks, unsigned ticks) {
  const duration limit = limit_ticks * tick;
  const duration time = ticks == 0 ? duration(24h) : duration(ticks * tick);
  const time_point before = this_loop().now();
  worth how = 1;
  try {
    auto op = with_timeout(limit, nap_for(time));
    co_await op;
  } catch (const timed_out&) {
    how = 2;
  }
  const duration took = this_loop().now() - before;
  expect(took >= (how == 1 ? time : limit), "a timer fired early");
  co_return how;
}

task<worth> caught(task<worth> of) {
  try {
    const worth value = co_await of;
    co_return value;
  } catch (const step_failed&) {
    co_return 7;
  }
}

task<worth> limited(duration limit, task<worth> of) {
  try {
    auto op = with_timeout(limit, std::move(of));
    const worth value = co_await op;
    co_return value;
  } catch (const timed_out&) {
    co_return 2;
  }
}

task<worth> fork_step(world* in, step* at) {
  auto first = co_await fork(perform(in, at->children[0].get()));
  auto second = perform(in, at->children[1].get());
  const worth mine = co_await second;
  const worth theirs = co_await first;
  co_return mine + theirs;
}

task<worth> group_step(world* in, step* at) {
  auto body = [&](task_group& group) -> task<> {
    for (const auto& child : at->children) group.start(perform(in, child.get()));
    co_return;
  };
  try {
    auto op = with_task_group(body);
    co_await op;
    co_return 3;
  } catch (const exception_group&) {
    co_return 4;
  }
}

task<worth> join_step(join_handle<worth> child) {
  const worth value = co_await child;
  co_return value;
}

task<worth> move_step(std::size_t worker) {
  co_await resume_on(worker);
  expect(this_worker::id() == worker, "a task did not go where it was sent");
  co_await yield();
  expect(this_worker::id() == worker, "a bound task was moved");
  co_await resume_anywhere();
  co_return 1;
}

task<worth> offload_step(unsigned number, bool blocks) {
  auto square = [number] { return worth{number} * number; };
  if (blocks) {
    auto op = offload_blocking(std::move(square));
    const worth value = co_await op;
    co_return value;
  }
  auto op = offload(std::move(square));
  const worth value = co_await op;
  co_return value;
}

task<worth> batch_step(world* in, unsigned items, unsigned fails_at, std::size_t number) {
  auto item = [fails_at, number](std::uint64_t index) -> task<worth> {
    if (index % 3 == 1) co_await yield();
    if (index % 5 == 2) co_await sleep_for(tick);
    if (index == fails_at) throw step_failed(number);
    co_return static_cast<worth>(index);
  };
  auto op = in->rt.dispatch(items, item);
  const auto results = co_await op;
  worth sum = 0;
  for (const worth each : results) sum += each;
  co_return sum;
}

task<worth> done(worth value) { co_return value; }

task<worth> failing(std::size_t number) {
  throw step_failed(number);
  co_return 0;
}

task<worth> start_child(world* in, step* at, started_tasks* mine) {
  task_specification* const child = at->children[0].get();
  mine->emplace(child, spawn(perform(in, child), "started"));
  return done(1);
}

task<worth> join_child(step* at, started_tasks* mine) {
  const auto found = mine->find(at->target);
  auto handle = std::move(found->second);
  mine->erase(found);
  return join_step(std::move(handle));
}

/// The coroutine of a step.
task<worth> begin(world* in, task_specification* self, step* at, started_tasks* mine) {
  for (const auto& child : at->children) child->handed_in.fetch_add(1);
  switch (at->what) {
    case action::yield:
      return yield_step();
    case action::nap:
      return nap_step(at->some);
    case action::lock:
      return lock_step(in, at->some);
    case action::permit:
      return permit_step(in, at->some);
    case action::send:
      return in_time(at->more, send_one(in, &in->channel_of(*at)));
    case action::receive:
      return in_time(at->more, receive_one(&in->channel_of(*at)));
    case action::close:
      in->channel_of(*at).items.close();
      return done(1);
    case action::pipe:
      return pipe_step(at->some, at->more % 4);
    case action::limit:
      return limit_step(at->some, at->more);
    case action::call:
      return perform(in, at->children[0].get());
    case action::limited_call:
      return limited((1 + at->some) * tick, perform(in, at->children[0].get()));
    case action::start:
      return start_child(in, at, mine);
    case action::join:
      return join_child(at, mine);
    case action::cancel:
      mine->at(at->target).cancel();
      return done(1);
    case action::fork:
      return fork_step(in, at);
    case action::group:
      return group_step(in, at);
    case action::move:
      return move_step(at->some % in->what.workers);
    case action::offload:
      return offload_step(at->some, at->more % 2 != 0);
    case action::batch:
      return batch_step(in, at->some, at->more, self->number);
    case action::fail:
      return failing(self->number);
  }
  return done(0);
}

task<worth> all_steps(world* in, task_specification* self) {
  started_tasks mine;
  worth sum = 0;
  for (step& each : self->steps) {
    auto part = begin(in, self, &each, &mine);
    if (each.catches && (each.what == action::call || each.what == action::join)) {
      part = caught(std::move(part));
    }
    const worth value = co_await part;
    sum += value;
  }
  co_return sum;
}

}  // namespace

task<worth> perform(world* in, task_specification* self) {
  self->begun.fetch_add(1);
  prospect seen;
  seen.with_value = false;
  std::exception_ptr error;
  try {
    auto steps = all_steps(in, self);
    seen.least = co_await steps;
    seen.with_value = true;
  } catch (const step_failed& failure) {
    seen.failures.set(failure.number);
    error = std::current_exception();
  } catch (const cancelled&) {
    seen.cancelled = true;
    error = std::current_exception();
  } catch (const std::exception& other) {  // only a runtime that stops refuses anything
    expect(in->what.stops, std::string("a task failed: ") + other.what());
    seen.refused = true;
    error = std::current_exception();
  }
  self->seen = seen;
  self->ended.fetch_add(1);
  if (error) std::rethrow_exception(error);
  co_return seen.least;
}

}  // namespace harrier::fuzz
