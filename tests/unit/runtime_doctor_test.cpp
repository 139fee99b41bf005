// SPDX-License-Identifier: Apache-2.0
// What the doctor says of a runtime: all workers at once, batches and forked children, and what it tells
// without being asked.
#include <harrier/runtime.hpp>

#include "unit/held_worker.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

namespace harrier::test {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string text_of(const diagnosis& found) {
  std::ostringstream out;
  out << found;
  return out.str();
}

/// Looks until `enough(diagnosis)`: the workers take their time.
template <class Enough>
diagnosis look_until(runtime& rt, Enough enough) {
  for (;;) {
    diagnosis found = rt.diagnose();
    if (enough(found)) return found;
    std::this_thread::sleep_for(1ms);
  }
}

bool all_wait(const diagnosis& found, std::size_t count) {
  return found.tasks.size() == count &&
         std::all_of(found.tasks.begin(), found.tasks.end(),
                     [](const task_diagnosis& each) { return each.state == task_state::waits; });
}

template <class Found>
std::vector<std::string> names(const diagnosis& found, const Found& indices) {
  std::vector<std::string> all;
  for (const std::size_t each : indices) all.push_back(found.tasks[each].name);
  std::sort(all.begin(), all.end());
  return all;
}

/// Locks two mutexes, the second when the other side has the first of its own.
class two_locks {
 public:
  task<> lock(mutex& first, mutex& second) {
    auto one = co_await first.lock();
    both_.count_down();
    co_await both_.wait();
    auto two = co_await second.lock();
  }
  task<> try_and_lock(mutex& first, mutex& second) {
    auto one = first.try_lock();
    EXPECT_TRUE(one);
    both_.count_down();
    co_await both_.wait();
    auto two = co_await second.lock();
  }
  mutex a;
  mutex b;

 private:
  latch both_{2};
};

void cancel_and_join(join_handle<void>& handle) {
  handle.cancel();
  EXPECT_THROW(handle.get(), run_cancelled);
}

/// The number behind `words` in `text`; -1: they are not in it.
double number_after(const std::string& words, const std::string& text) {
  const auto at = text.find(words);
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + words.size(), nullptr);
}

TEST(runtime_doctor, finds_a_circle_across_workers) {
  two_locks locks;
  runtime rt(std::size_t{2});
  auto there = rt.spawn_on(0, locks.lock(locks.a, locks.b), "there");
  auto back = rt.spawn_on(1, locks.lock(locks.b, locks.a), "back");
  const diagnosis found =
      look_until(rt, [](const diagnosis& seen) { return seen.cycles.size() == 1; });
  EXPECT_EQ(names(found, found.cycles[0]), (std::vector<std::string>{"back", "there"}));
  for (const task_diagnosis& each : found.tasks) {
    EXPECT_EQ(each.worker, each.name == "there" ? 0u : 1u);
    EXPECT_EQ(each.state, task_state::waits);
    EXPECT_EQ(each.waits_at.size(), detail::doctor_is_on ? 1u : 0u);
    EXPECT_TRUE(contains(each.waits_for, "mutex::lock of ")) << each.waits_for;
  }
  std::ostringstream out;
  rt.dump(out);
  EXPECT_TRUE(contains(out.str(), "2 tasks\n  a circle of waits, which never ends by itself: #"))
      << out.str();
  cancel_and_join(there);
  back.get();
  EXPECT_TRUE(rt.diagnose().cycles.empty());
}

// A task, and an item that has a record because it had waited before.
TEST(runtime_doctor, finds_a_circle_across_workers_of_locks_that_were_got_by_try_lock) {
  two_locks locks;
  runtime rt(std::size_t{2});
  auto there = rt.spawn_on(0, locks.try_and_lock(locks.a, locks.b), "there");
  auto item = [&](std::uint64_t) -> task<> {
    co_await sleep_for(1us);
    auto locking = locks.try_and_lock(locks.b, locks.a);
    co_await locking;
  };
  auto items = rt.for_each(1, item);
  const diagnosis found =
      look_until(rt, [](const diagnosis& seen) { return seen.cycles.size() == 1; });
  EXPECT_EQ(found.cycles[0].size(), 2u) << text_of(found);
  cancel_and_join(there);
  items.wait();
  EXPECT_TRUE(rt.diagnose().cycles.empty());
}

TEST(runtime_doctor, lists_what_no_worker_has_yet) {
  runtime rt(std::size_t{1});
  tally sits;
  std::atomic<bool> goes{false};
  auto sit = [&]() -> task<> {
    sits.add();
    while (!goes) std::this_thread::yield();
    co_return;
  };
  auto sitting = rt.spawn(sit(), "sits");
  sits.wait_for(1);
  auto queued = rt.spawn(give(1), "queued");
  const diagnosis found = rt.diagnose();
  ASSERT_EQ(found.tasks.size(), 2u);
  const task_diagnosis& last = found.tasks[found.tasks[0].name == "queued" ? 0 : 1];
  EXPECT_EQ(last.name, "queued");
  EXPECT_EQ(last.state, task_state::runs);
  EXPECT_EQ(last.worker, std::nullopt);
  goes = true;
  sitting.get();
  EXPECT_EQ(queued.get(), 1);
}

TEST(runtime_doctor, sees_a_batch_from_both_sides) {
  mutex m;
  runtime rt(std::size_t{1});
  auto item = [&](std::uint64_t) -> task<> { auto guard = co_await m.lock(); };
  auto holder = [&]() -> task<> {
    auto guard = co_await m.lock();
    auto items = rt.for_each(3, item);
    co_await items;
  };
  auto waiting = rt.spawn(holder(), "holder");
  const diagnosis found = look_until(rt, [](const diagnosis& seen) { return all_wait(seen, 4); });
  const std::string text = text_of(found);
  EXPECT_EQ(found.cycles.size(), 3u) << text;
  EXPECT_TRUE(contains(text, "waits for a batch of ")) << text;
  EXPECT_TRUE(contains(text, ": 0 of 3 items have ended, 3 run or wait, for the end of #")) << text;
  waiting.cancel();
  EXPECT_THROW(waiting.get(), run_cancelled);
}

TEST(runtime_doctor, knows_which_window_is_full) {
  event goes;
  runtime rt(std::size_t{1});
  auto item = [&](std::uint64_t) -> task<> { co_await goes.wait(); };
  auto waiter = [&]() -> task<> {
    auto items = rt.for_each(10, item, dispatch_options().with_window(2));
    co_await items;
  };
  auto waiting = rt.spawn(waiter(), "waiter");
  const diagnosis found = look_until(rt, [](const diagnosis& seen) { return all_wait(seen, 3); });
  EXPECT_TRUE(contains(text_of(found),
                       "0 of 10 items have ended, 2 run or wait, as many as its window allows"))
      << text_of(found);
  goes.set();
  waiting.get();
}

TEST(runtime_doctor, may_be_asked_on_a_worker) {
  runtime rt(std::size_t{2});
  auto asks = [&]() -> task<std::size_t> { co_return rt.diagnose().tasks.size(); };
  EXPECT_EQ(rt.run(asks()), 1u);
  auto asks_its_loop = []() -> task<std::size_t> { co_return this_loop().diagnose().tasks.size(); };
  EXPECT_EQ(rt.run(asks_its_loop()), 1u);
}

// --- without being asked

TEST(runtime_doctor, tells_when_a_thread_blocks_for_long) {
  two_locks locks;
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.watchdog = 200ms;
  options.exception_handler = std::ref(log);
  runtime rt(options);
  auto there = rt.spawn(locks.lock(locks.a, locks.b), "there");
  auto back = rt.spawn(locks.lock(locks.b, locks.a), "back");
  look_until(rt, [](const diagnosis& seen) { return seen.cycles.size() == 1; });
  EXPECT_FALSE(back.wait_for(1ms));
  EXPECT_EQ(log.size(), 0u) << "that was not long";
  EXPECT_FALSE(back.wait_for(600ms));
  ASSERT_EQ(log.size(), 1u) << "once for a wait";
  EXPECT_GE(number_after("a thread has blocked for ", log.at(0).message), 0.2);
  EXPECT_TRUE(contains(log.at(0).message, "a circle of waits")) << log.at(0).message;
  EXPECT_FALSE(rt.drain(600ms));
  EXPECT_EQ(log.size(), 2u) << "drain, too";
  cancel_and_join(there);
  back.get();
}

TEST(runtime_doctor, tells_when_a_thread_blocks_for_a_batch) {
  event goes;
  error_log log;
  runtime_options options;
  options.workers = 1;
  options.watchdog = 10ms;
  options.exception_handler = std::ref(log);
  runtime rt(options);
  auto item = [&](std::uint64_t) -> task<> { co_await goes.wait(); };
  auto items = rt.for_each(2, item);
  look_until(rt, [](const diagnosis& seen) { return all_wait(seen, 2); });
  std::thread opener([&] {
    while (log.size() == 0) std::this_thread::yield();
    goes.set();
  });
  items.wait();
  opener.join();
  EXPECT_TRUE(contains(log.at(0).message, "event::wait of")) << log.at(0).message;
}

TEST(runtime_doctor, is_not_asked_by_waits_after_its_end) {
  error_log log;
  {
    runtime_options options;
    options.workers = 1;
    options.watchdog = 1ms;
    options.exception_handler = std::ref(log);
    runtime rt(options);
    EXPECT_EQ(rt.run(give(1)), 1);
  }
  const std::size_t before = log.size();
  event goes;
  runtime other(std::size_t{1});
  auto waiter = [&]() -> task<> { co_await goes.wait(); };
  auto handle = other.spawn(waiter());
  EXPECT_FALSE(handle.wait_for(10ms));
  goes.set();
  handle.get();
  EXPECT_EQ(log.size(), before);
}

TEST(runtime_doctor, tells_at_a_signal) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.dump_signal = SIGUSR1;
  options.exception_handler = std::ref(log);
  runtime rt(options);
  event goes;
  auto waiter = [&]() -> task<> { co_await goes.wait(); };
  auto handle = rt.spawn(waiter(), "waiter");
  look_until(rt, [](const diagnosis& seen) { return all_wait(seen, 1); });
  std::thread presser([&] {
    ::raise(SIGUSR1);
    while (log.size() == 0) std::this_thread::yield();
    goes.set();
  });
  handle.get();  // on oneTBB's threads a blocked one sees to it, else a worker that sleeps
  presser.join();
  EXPECT_TRUE(contains(log.at(0).message, "a signal asks what the tasks wait for:\n1 task\n"));
  EXPECT_TRUE(contains(log.at(0).message, "\"waiter\", worker ")) << log.at(0).message;
  EXPECT_FALSE(rt.is_stopped());
  rt.stop();
  struct sigaction now{};
  ::sigaction(SIGUSR1, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "put back";
}

// --- stalled workers

TEST(runtime_doctor, tells_of_a_worker_that_is_stuck_in_a_step) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.provider = thread_provider::own_threads;
  options.stalled_after = 20ms;
  options.exception_handler = std::ref(log);
  runtime rt(options);
  EXPECT_EQ(rt.metrics().watch_threads, 0u) << "made with the first worker";
  auto spin = [&]() -> task<> {
    co_await yield();
    while (log.size() == 0) {  // no call in which a sanitizer would deliver the signal early
    }
  };
  rt.spawn(spin(), "spinner").get();
  ASSERT_EQ(log.size(), 1u) << "once for a step";
  const error_report told = log.at(0);
  EXPECT_GE(number_after(" has been in one step for ", told.message), 0.02);
  EXPECT_EQ(rt.metrics().stalls, 1u);
  EXPECT_EQ(rt.metrics().watch_threads, 1u);
  if (HARRIER_TEST_SANITIZED == 0) {  // they put off signals
    EXPECT_EQ(told.task_name, "spinner");
    EXPECT_TRUE(contains(told.message, "\n    ")) << told.message;
  }
  struct sigaction now{};
  ::sigaction(SIGURG, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "put back";
  rt.stop();
  EXPECT_EQ(rt.metrics().watch_threads, 0u);
}

TEST(runtime_doctor, does_not_take_work_or_idleness_for_a_stall) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.stalled_after = 500ms;  // longer than a busy machine keeps a thread waiting
  options.exception_handler = std::ref(log);
  runtime rt(options);
  const auto end = std::chrono::steady_clock::now() + 700ms;
  auto busy = [&]() -> task<> {
    while (std::chrono::steady_clock::now() < end) co_await yield();
  };
  rt.spawn(busy()).get();
  auto idle = []() -> task<> { co_await sleep_for(700ms); };
  rt.spawn(idle()).get();
  EXPECT_EQ(rt.metrics().stalls, 0u);
}

// The program's own handler for the signal is not replaced; the worker is named all the same.
TEST(runtime_doctor, leaves_a_handler_of_the_program_alone) {
  struct sigaction mine{};
  static std::atomic<int> calls;
  calls = 0;
  mine.sa_handler = [](int) { ++calls; };
  struct sigaction before{};
  ::sigaction(SIGURG, &mine, &before);
  error_log log;
  {
    runtime_options options;
    options.workers = 1;
    options.provider = thread_provider::own_threads;
    options.stalled_after = 10ms;
    options.exception_handler = std::ref(log);
    runtime rt(options);
    auto spin = [&]() -> task<> {
      while (log.size() == 0) std::this_thread::yield();
      co_return;
    };
    rt.spawn(spin()).get();
  }
  EXPECT_TRUE(contains(log.at(0).message, "worker 0 has been in one step for "));
  EXPECT_EQ(calls, 0);
  ::sigaction(SIGURG, &before, nullptr);
}

}  // namespace
}  // namespace harrier::test
