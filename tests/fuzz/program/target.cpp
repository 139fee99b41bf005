// SPDX-License-Identifier: Apache-2.0
// Random programs in the simulation: the input decides what tasks and threads do, and is the seed of who
// runs when. Nothing is lost, nothing runs twice, whatever must not be cancelled is not, and each task
// comes to what the reference model says.
#include <harrier/simulation.hpp>

#include "batches.hpp"
#include "fuzz/expect.hpp"
#include "fuzz/input.hpp"
#include "specification.hpp"
#include "world.hpp"

#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace harrier::fuzz {

namespace {

using namespace std::chrono_literals;

runtime_options options_of(const program& what) {
  runtime_options options;
  options.workers = what.workers;
  options.queue_limit = what.queue_limit;
  options.provider = what.arena ? thread_provider::task_arena : thread_provider::own_threads;
  options.exception_handler = [](const error_report&) {};  // failures of what nobody joins
  return options;
}

std::string described(const task_specification& task) {
  const prospect& seen = task.seen;
  std::string text = "began " + std::to_string(task.begun.load()) + " and ended " +
                     std::to_string(task.ended.load()) + " times";
  if (seen.with_value) text += ", with " + std::to_string(seen.least);
  if (seen.failures.any()) text += ", with the failure of " + seen.failures.to_string();
  if (seen.cancelled) text += ", cancelled";
  if (seen.refused) text += ", refused";
  return text;
}

/// The threads of ordinary code, and the handles that they share.
class ordinary_code {
 public:
  ordinary_code(world& in, const program& what)
      : in_(in), what_(what), handles_(what.roots.size()) {}

  void run() {
    std::vector<std::thread> others;
    for (std::size_t each = 1; each < what_.threads.size(); ++each) {
      others.emplace_back([this, each] { script(what_.threads[each]); });
    }
    script(what_.threads[0]);
    for (std::size_t root = 0; root < what_.roots.size(); ++root) hand_in(root, std::nullopt);
    for (std::thread& each : others) each.join();
    for (std::size_t root = 0; root < handles_.size(); ++root) take(root);
  }

 private:
  void script(const std::vector<ordinary_step>& steps) {
    for (const ordinary_step& each : steps) {
      switch (each.what) {
        case move::spawn:
          hand_in(each.root, std::nullopt);
          break;
        case move::spawn_on:
          hand_in(each.root, each.some / 16 % what_.workers);
          break;
        case move::nap:
          std::this_thread::sleep_for(each.some * 10us);
          break;
        case move::cancel:
          cancel(each.root);
          break;
        case move::batch:
          run_batch(in_.rt, each.batch, what_.stops);
          break;
        case move::trim:
          in_.rt.trim();
          break;
        case move::stop:
          stop(each.some % 3);
          break;
      }
    }
  }

  void hand_in(std::size_t root, std::optional<std::size_t> worker) {
    task_specification& what = *what_.roots[root];
    if (what.handed_in.exchange(1) != 0) return;
    try {
      auto work = perform(&in_, &what);
      auto handle = worker ? in_.rt.spawn_on(*worker, std::move(work), "root")
                           : in_.rt.spawn(std::move(work), "root", static_cast<priority>(root % 3));
      const std::lock_guard lock(mutex_);
      handles_[root].emplace(std::move(handle));
    } catch (const runtime_stopped&) {
      expect(what_.stops, "a task was refused by a runtime that nobody stopped");
      expect(what.begun.load() == 0, "a task that was refused has begun");
    }
  }

  void cancel(std::size_t root) {
    const std::lock_guard lock(mutex_);
    if (handles_[root]) handles_[root]->cancel();
  }

  void stop(unsigned how) {
    if (how == 0) {
      in_.rt.stop();
    } else if (how == 1) {
      in_.rt.stop(close_options().drain_for(1ms));
    } else {
      in_.rt.stop(close_options().within(1ms));
    }
  }

  /// What comes out of a root is what it noted itself.
  void take(std::size_t root) {
    if (!handles_[root]) return;
    const task_specification& what = *what_.roots[root];
    if (!handles_[root]->wait_for(1h))
      handles_[root]->wait();  // for ever: that comes with a report
    try {
      const std::int64_t value = handles_[root]->get();
      expect(what.seen.with_value && value == what.seen.least, "a handle has another value");
    } catch (const step_failed& failure) {
      expect(what.seen.failures.test(failure.number), "a handle has another error");
    } catch (const cancelled&) {
      // A cancel that is due when the task returns its value wins.
      const bool too_late = what.seen.with_value && what.can_be_cancelled;
      expect(what.seen.cancelled || what.begun.load() == 0 || too_late,
             "a handle says cancelled of a task that " + described(what));
    } catch (const std::exception& other) {
      expect(what.seen.refused, std::string("a handle has ") + other.what());
    }
  }

  world& in_;
  const program& what_;
  std::mutex mutex_;
  std::vector<std::optional<join_handle<std::int64_t>>> handles_;
};

void check_task(const task_specification& task) {
  const std::string name = "task " + std::to_string(task.number);
  const int begun = task.begun.load();
  expect(begun <= 1, name + " ran twice");
  expect(task.ended.load() == begun, name + " did not end");
  if (begun == 0) {
    expect(task.handed_in.load() == 0 || task.can_be_cancelled, name + " never ran");
    return;
  }
  const prospect& seen = task.seen;
  const prospect& expected = task.expected;
  if (seen.with_value) {
    expect(expected.with_value && expected.least <= seen.least && seen.least <= expected.most,
           name + " gave " + std::to_string(seen.least) + ", not " +
               std::to_string(expected.least) + " to " + std::to_string(expected.most));
  }
  expect((seen.failures & ~expected.failures).none(), name + " failed");
  expect(!seen.cancelled || expected.cancelled, name + " was cancelled by nobody");
  expect(!seen.refused || expected.refused, name + " was refused something");
}

void check_channel(shared_channel& of) {
  std::uint64_t left = 0;
  while (const auto item = of.items.try_receive()) left += *item;
  expect(of.sent.load() == of.received.load() + left, "items of a channel are lost, or came twice");
}

void check(world& in, const program& what) {
  for (const task_specification* each : what.tasks) check_task(*each);
  for (const guarded_place& each : in.places) {
    expect(each.inside == 0 && each.sum == each.completed.load(),
           "an update behind a lock is lost");
  }
  check_channel(in.no_room);
  check_channel(in.some_room);
  const runtime_metrics figures = in.rt.metrics();
  expect(figures.tasks_spawned == figures.tasks_finished, "tasks spawned and finished differ");
  expect(in.rt.all_tasks().empty(), "tasks are left");
}

void run_program(program& what) {
  runtime rt(options_of(what));
  world in(rt, what);
  ordinary_code(in, what).run();
  expect(rt.drain(1h), "what nobody waits for hangs");
  check(in, what);
}

}  // namespace
}  // namespace harrier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace harrier::fuzz;
  input from(data, size);
  program what(from);
  predict(what);
  harrier::simulation sim(what.seed);
  try {
    sim.run([&] { run_program(what); });
  } catch (const std::exception& error) {
    expect(false, error.what());
  }
  expect(harrier::live_frames() == 0, "coroutine frames are left");
  return 0;
}
