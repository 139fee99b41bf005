// SPDX-License-Identifier: Apache-2.0
// What the doctor says of a lone runner: who waits for what, where, and who waits in a circle.
#include "noted_lines.hpp"
#include "support.hpp"

#include <csignal>
#include <sstream>
#include <string_view>

namespace harrier::test {
namespace {

const task_diagnosis& named(const diagnosis& found, std::string_view name) {
  for (const task_diagnosis& each : found.tasks) {
    if (each.name == name) return each;
  }
  ADD_FAILURE() << "no task " << name;
  static const task_diagnosis none;
  return none;
}

std::string text_of(const diagnosis& found) {
  std::ostringstream out;
  out << found;
  return out.str();
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

task<> let_others_run() {
  for (int turns = 0; turns < 4; ++turns) co_await yield();
}

/// Runs `around`, which spawns what is to be looked at, and looks.
template <class Around>
diagnosis look_after(runner& r, Around around) {
  diagnosis found;
  auto main = [&]() -> task<> {
    around();
    auto turns = let_others_run();
    co_await turns;
    found = r.diagnose();
  };
  r.run(main());
  return found;
}

TEST(doctor, lists_each_task_with_what_it_waits_for) {
  channel<int> numbers(1);
  event never;
  virtual_clock time;
  runner r(on(time));
  auto sleeper = []() -> task<> { co_await sleep_for(90min); };
  auto receiver = [&]() -> task<> { co_await numbers.receive(); };
  auto waiter = [&]() -> task<> { co_await never.wait(); };
  const diagnosis found = look_after(r, [&] {
    r.loop().spawn(sleeper(), "sleeper").detach();
    r.loop().spawn(receiver(), "receiver").detach();
    r.loop().spawn(waiter(), "waiter").detach();
  });
  EXPECT_EQ(found.tasks.size(), 4u);
  EXPECT_EQ(found.tasks.at(0).name, "main") << "the oldest comes first";
  EXPECT_EQ(found.tasks.at(0).state, task_state::runs);
  EXPECT_TRUE(found.cycles.empty());
  const task_diagnosis& sleeps = named(found, "sleeper");
  EXPECT_EQ(sleeps.state, task_state::waits);
  EXPECT_EQ(sleeps.waits_for, "sleep, due in 5400.000 s");
  EXPECT_EQ(sleeps.due, time_point{} + 90min);
  EXPECT_EQ(sleeps.worker, std::nullopt);
  std::ostringstream address;
  address << &numbers;
  EXPECT_EQ(named(found, "receiver").waits_for, "channel::receive of " + address.str());
  EXPECT_TRUE(contains(named(found, "waiter").waits_for, "event::wait of "));
  never.set();
}

TEST(doctor, gives_the_lines_of_an_await_chain) {
  event never;
  virtual_clock time;
  runner r(on(time));
  auto inner = [&]() -> task<> { co_await never.wait(); };
  constexpr auto inner_line = __LINE__ - 1;
  auto outer = [&]() -> task<> {
    auto child = inner();
    co_await child;
  };
  constexpr auto outer_line = __LINE__ - 2;
  const diagnosis found = look_after(r, [&] { r.loop().spawn(outer(), "outer").detach(); });
  const task_diagnosis& waits = named(found, "outer");
  EXPECT_EQ(lines_of(waits.waits_at), lines_if_noted({inner_line, outer_line}));
  const std::string text = text_of(found);
  EXPECT_EQ(contains(text, "doctor_test.cpp:" + std::to_string(inner_line)), detail::doctor_is_on)
      << text;
  never.set();
}

template <class Mutex>
task<> lock_both(Mutex& first, Mutex& second) {
  auto one = co_await first.lock();
  co_await yield();
  auto two = co_await second.lock();
}

TEST(doctor, names_who_holds_a_lock) {
  local_mutex m;
  event done;
  virtual_clock time;
  runner r(on(time));
  auto holder = [&]() -> task<> {
    auto guard = co_await m.lock();
    co_await done.wait();
  };
  auto locker = [&]() -> task<> { auto guard = co_await m.lock(); };
  const diagnosis found = look_after(r, [&] {
    r.loop().spawn(holder(), "holder").detach();
    r.loop().spawn(locker(), "locker").detach();
  });
  const task_diagnosis& locks = named(found, "locker");
  ASSERT_EQ(locks.waits_on.size(), 1u);
  EXPECT_EQ(found.tasks.at(locks.waits_on[0]).name, "holder");
  EXPECT_TRUE(contains(locks.waits_for, "mutex::lock of ")) << locks.waits_for;
  EXPECT_TRUE(contains(locks.waits_for, ", held by #1 \"holder\"")) << locks.waits_for;
  EXPECT_TRUE(found.cycles.empty());
  done.set();
}

TEST(doctor, names_who_writes_under_a_shared_mutex_and_counts_who_reads) {
  shared_mutex m;
  event done;
  virtual_clock time;
  runner r(on(time));
  auto writer = [&]() -> task<> {
    auto guard = co_await m.lock();
    co_await done.wait();
  };
  auto reader = [&]() -> task<> {
    auto guard = co_await m.lock_shared();
    co_await done.wait();
  };
  const diagnosis written = look_after(r, [&] {
    r.loop().spawn(writer(), "first").detach();
    r.loop().spawn(reader(), "second").detach();
    r.loop().spawn(writer(), "third").detach();
  });
  for (const char* const waits : {"second", "third"}) {
    const task_diagnosis& behind = named(written, waits);
    ASSERT_EQ(behind.waits_on.size(), 1u);
    EXPECT_EQ(written.tasks.at(behind.waits_on[0]).name, "first");
    EXPECT_TRUE(contains(behind.waits_for, ", held by #1 \"first\"")) << behind.waits_for;
  }
  done.set();
  r.run(let_others_run());
  done.clear();
  const diagnosis read = look_after(r, [&] {
    r.loop().spawn(reader(), "one").detach();
    r.loop().spawn(reader(), "other").detach();
    r.loop().spawn(writer(), "behind").detach();
  });
  const task_diagnosis& behind = named(read, "behind");
  EXPECT_TRUE(behind.waits_on.empty()) << "the writer before has unlocked";
  EXPECT_TRUE(contains(behind.waits_for, ": 2 readers are in")) << behind.waits_for;
  done.set();
}

// A guard that was got by a child, in a scope of its own, and moved: the task holds it all the same.
TEST(doctor, knows_a_holder_whose_child_has_locked) {
  mutex m;
  event done;
  virtual_clock time;
  runner r(on(time));
  auto lock_it = [&]() -> task<mutex::guard> { co_return co_await m.lock(); };
  auto holder = [&]() -> task<> {
    auto locking = lock_it();
    auto guard = co_await locking;
    co_await done.wait();
  };
  auto locker = [&]() -> task<> { auto guard = co_await m.lock(); };
  const diagnosis found = look_after(r, [&] {
    r.loop().spawn(holder(), "holder").detach();
    r.loop().spawn(locker(), "locker").detach();
  });
  EXPECT_TRUE(contains(named(found, "locker").waits_for, "held by #1 \"holder\""));
  done.set();
}

TEST(doctor, knows_the_next_holder_after_a_handover) {
  mutex m;
  event first_goes;
  event second_goes;
  virtual_clock time;
  runner r(on(time));
  auto hold = [&](event& until) -> task<> {
    auto guard = co_await m.lock();
    co_await until.wait();
  };
  const diagnosis found = look_after(r, [&] {
    r.loop().spawn(hold(first_goes), "first").detach();
    r.loop().spawn(hold(second_goes), "second").detach();
    r.loop().spawn(hold(second_goes), "third").detach();
    r.loop().call_soon([&] { first_goes.set(); });
  });
  EXPECT_TRUE(contains(named(found, "third").waits_for, "held by #1 \"second\"")) << text_of(found);
  second_goes.set();
}

TEST(doctor, finds_a_circle_of_locks) {
  mutex a;
  mutex b;
  virtual_clock time;
  runner r(on(time));
  std::string text;
  {
    auto main = [&]() -> task<> {
      auto there = spawn(lock_both(a, b), "there");
      auto back = spawn(lock_both(b, a), "back");
      co_await there;
      co_await back;
    };
    try {
      r.run(main());
      ADD_FAILURE() << "nobody noticed";
    } catch (const deadlock& e) {
      text = e.what();
    }
  }
  EXPECT_TRUE(contains(text,
                       "a circle of waits, which never ends by itself: "
                       "#1 \"there\" -> #2 \"back\" -> #1 \"there\""))
      << text;
  EXPECT_TRUE(contains(text, "task #0 \"main\", waits for a task, for the end of #1 \"there\""));
  const diagnosis found = r.diagnose();
  ASSERT_EQ(found.cycles.size(), 1u);
  EXPECT_EQ(found.cycles[0], (std::vector<std::size_t>{1, 2}));
  r.close();
}

template <class Mutex>
task<> try_and_lock(Mutex& first, Mutex& second) {
  auto one = first.try_lock();
  EXPECT_TRUE(one);
  co_await yield();
  auto two = co_await second.lock();
}

template <class Mutex>
void expect_a_circle_with_a_try_lock() {
  Mutex a;
  Mutex b;
  virtual_clock time;
  runner r(on(time));
  const diagnosis found = look_after(r, [&] {
    r.loop().spawn(try_and_lock(a, b), "there").detach();
    r.loop().spawn(lock_both(b, a), "back").detach();
    r.loop().spawn(lock_both(a, b), "behind").detach();
  });
  ASSERT_EQ(found.cycles.size(), 1u) << text_of(found);
  EXPECT_EQ(found.cycles[0], (std::vector<std::size_t>{1, 2}));
  for (const char* const waits : {"back", "behind"}) {
    EXPECT_TRUE(contains(named(found, waits).waits_for, ", held by #1 \"there\""))
        << text_of(found);
  }
  r.close();
}

TEST(doctor, finds_a_circle_in_which_a_lock_was_got_by_try_lock) {
  expect_a_circle_with_a_try_lock<mutex>();
  expect_a_circle_with_a_try_lock<local_mutex>();
  expect_a_circle_with_a_try_lock<shared_mutex>();
  expect_a_circle_with_a_try_lock<local_shared_mutex>();
}

TEST(doctor, knows_a_holder_whose_child_has_got_it_by_try_lock) {
  mutex m;
  event done;
  virtual_clock time;
  runner r(on(time));
  auto lock_it = [&]() -> task<mutex::guard> { co_return m.try_lock(); };
  auto holder = [&]() -> task<> {
    auto locking = lock_it();
    auto guard = co_await locking;
    co_await done.wait();
  };
  auto locker = [&]() -> task<> { auto guard = co_await m.lock(); };
  const diagnosis found = look_after(r, [&] {
    r.loop().spawn(holder(), "holder").detach();
    r.loop().spawn(locker(), "locker").detach();
  });
  EXPECT_TRUE(contains(named(found, "locker").waits_for, "held by #1 \"holder\""));
  done.set();
}

// A try_lock() notes what runs: nobody outside a loop, something that is no task in a callback; one that got
// nothing, and one that reads, note nothing.
TEST(doctor, names_nobody_for_what_no_task_got_by_try_lock) {
  mutex outside;
  mutex in_a_callback;
  mutex in_vain;
  shared_mutex read;
  virtual_clock time;
  runner r(on(time));
  auto guard_outside = outside.try_lock();
  mutex::guard guard_of_callback;
  auto guard_in_vain = in_vain.try_lock();
  shared_mutex::guard reads;
  auto lock = [&](auto& which) -> task<> { auto guard = co_await which.lock(); };
  auto tries = [&]() -> task<> {
    EXPECT_FALSE(in_vain.try_lock());
    reads = read.try_lock_shared();
    co_await yield();
  };
  const diagnosis found = look_after(r, [&] {
    r.loop().call_soon([&] { guard_of_callback = in_a_callback.try_lock(); });
    r.loop().spawn(tries(), "tries").detach();
    r.loop().spawn(lock(outside), "first").detach();
    r.loop().spawn(lock(in_a_callback), "second").detach();
    r.loop().spawn(lock(in_vain), "third").detach();
    r.loop().spawn(lock(read), "fourth").detach();
  });
  for (const char* const waits : {"first", "second", "third", "fourth"}) {
    EXPECT_TRUE(named(found, waits).waits_on.empty()) << waits << ' ' << text_of(found);
  }
  EXPECT_TRUE(contains(named(found, "first").waits_for, ", held by nobody that is known"));
  EXPECT_TRUE(contains(named(found, "fourth").waits_for, ": 1 reader is in")) << text_of(found);
  guard_outside.unlock();
  guard_of_callback.unlock();
  guard_in_vain.unlock();
  reads.unlock();
  r.run(let_others_run());
}

TEST(doctor, finds_a_circle_of_joins_and_a_lock) {
  mutex m;
  virtual_clock time;
  runner r(on(time));
  auto locker = [&]() -> task<> { auto guard = co_await m.lock(); };
  auto holder = [&]() -> task<> {
    auto guard = co_await m.lock();
    auto joined = spawn(locker(), "locker");
    co_await joined;
  };
  EXPECT_THROW(r.run(holder()), deadlock);
  const diagnosis found = r.diagnose();
  ASSERT_EQ(found.cycles.size(), 1u);
  EXPECT_EQ(found.cycles[0].size(), 2u);
  r.close();
}

TEST(doctor, finds_a_circle_through_a_group) {
  mutex m;
  virtual_clock time;
  runner r(on(time));
  auto locker = [&]() -> task<> { auto guard = co_await m.lock(); };
  auto holder = [&]() -> task<> {
    auto guard = co_await m.lock();
    auto children = [&](task_group& group) -> task<> {
      group.spawn(locker(), "child").detach();
      group.spawn(locker(), "child").detach();
      co_return;
    };
    auto scope = with_task_group(children);
    co_await scope;
  };
  EXPECT_THROW(r.run(holder()), deadlock);
  const diagnosis found = r.diagnose();
  EXPECT_EQ(found.cycles.size(), 2u) << text_of(found);
  EXPECT_TRUE(contains(text_of(found), "the join of a group, for the end of #1 \"child\", #2"));
  r.close();
}

// One of the two would be enough, and the other one ends by itself.
TEST(doctor, sees_no_circle_where_something_else_may_end_the_wait) {
  mutex m;
  virtual_clock time;
  runner r(on(time));
  diagnosis found;
  auto locker = [&]() -> task<> { auto guard = co_await m.lock(); };
  auto sleeper = []() -> task<> { co_await sleep_for(1h); };
  auto look = [&]() -> task<> {
    co_await sleep_for(1min);
    found = r.diagnose();
  };
  auto main = [&]() -> task<> {
    auto guard = co_await m.lock();
    auto looking = spawn(look(), "look");
    auto either = when_any(locker(), sleeper());
    co_await either;
    co_await looking;
  };
  r.run(main());
  EXPECT_TRUE(found.cycles.empty()) << text_of(found);
  EXPECT_TRUE(named(found, "main").has_other_ways) << text_of(found);
}

TEST(doctor, of_an_unused_or_closed_runner_is_empty) {
  runner r;
  EXPECT_TRUE(r.diagnose().tasks.empty());
  r.close();
  std::ostringstream out;
  r.dump(out);
  EXPECT_EQ(out.str(), "0 tasks\n");
}

TEST(doctor, refuses_another_thread_while_the_loop_runs) {
  runner r;
  auto main = [&]() -> task<> {
    on_another_thread([&] { EXPECT_THROW((void)r.diagnose(), wrong_thread); });
    co_return;
  };
  r.run(main());
}

TEST(doctor, knows_age_and_place_of_spawn_in_debug_mode) {
  virtual_clock time;
  runner_options options = on(time);
  options.debug = debug_mode::on;
  runner r(options);
  event never;
  auto waiter = [&]() -> task<> { co_await never.wait(); };
  diagnosis found;
  auto main = [&]() -> task<> {
    spawn(waiter(), "waiter").detach();
    co_await sleep_for(3s);
    found = r.diagnose();
    never.set();
  };
  r.run(main());
  const task_diagnosis& old = named(found, "waiter");
  EXPECT_EQ(old.age, duration(3s));
  EXPECT_TRUE(old.spawned_at.has_value());
  const std::string text = text_of(found);
  EXPECT_TRUE(contains(text, "3.000 s old")) << text;
  EXPECT_TRUE(contains(text, "spawned at ")) << text;
}

TEST(doctor, tells_the_age_of_what_has_a_name) {
  virtual_clock time;
  runner r(on(time));
  event never;
  auto waiter = [&]() -> task<> { co_await never.wait(); };
  diagnosis found;
  auto main = [&]() -> task<> {
    spawn(waiter(), "waiter").detach();
    spawn(waiter()).detach();
    co_await sleep_for(3s);
    found = r.diagnose();
    never.set();
  };
  r.run(main());
  EXPECT_EQ(named(found, "waiter").age, duration(3s));
  EXPECT_EQ(named(found, "").age, std::nullopt);
  EXPECT_EQ(named(found, "waiter").spawned_at, std::nullopt) << "in debug mode only";
}

TEST(doctor, prints_a_thousand_tasks_at_most) {
  event never;
  virtual_clock time;
  runner r(on(time));
  auto waiter = [&]() -> task<> { co_await never.wait(); };
  const diagnosis found = look_after(r, [&] {
    for (int i = 0; i < 1500; ++i) r.loop().spawn(waiter()).detach();
  });
  EXPECT_EQ(found.tasks.size(), 1501u);
  const std::string text = text_of(found);
  EXPECT_TRUE(contains(text, "1501 tasks\n")) << text.substr(0, 100);
  EXPECT_TRUE(contains(text, "\n  and 501 more\n"));
  never.set();
  r.run(let_others_run());
}

// --- without being asked

TEST(doctor, tells_of_a_silence_once) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  options.watchdog = 1h;
  runner r(options);
  auto main = []() -> task<> {
    for (int i = 0; i < 10; ++i) co_await sleep_for(30min);
    co_await sleep_for(24h);
  };
  r.run(main());
  ASSERT_EQ(log.size(), 1u);
  EXPECT_TRUE(contains(log.at(0).message, "nothing has run for 3600.000 s:\n1 task\n"));
  EXPECT_TRUE(contains(log.at(0).message, "waits for sleep, due in 82800.000 s"))
      << log.at(0).message;
  EXPECT_EQ(time.now(), time_point{} + 29h);
}

TEST(doctor, tells_at_a_signal) {
  error_log log;
  runner_options options;
  options.exception_handler = std::ref(log);
  options.dump_signal = SIGUSR1;
  runner r(options);
  auto main = [&]() -> task<> {
    ::raise(SIGUSR1);
    co_await sleep_for(1ms);
  };
  r.run(main());
  ASSERT_EQ(log.size(), 1u);
  EXPECT_TRUE(contains(log.at(0).message, "a signal asks what the tasks wait for:\n1 task"));
  r.close();
  struct sigaction now{};
  ::sigaction(SIGUSR1, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "put back";
}

TEST(doctor, wakes_a_sleeping_loop_for_a_signal) {
  class opening_log {
   public:
    gate told;
    void operator()(const error_report&) { told.open(); }
  } log;
  runner_options options;
  options.exception_handler = std::ref(log);
  options.dump_signal = SIGUSR2;
  runner r(options);
  std::thread presser([&] {
    while (log.told.arrivals() == 0) std::this_thread::yield();
    std::this_thread::sleep_for(2ms);
    ::raise(SIGUSR2);
  });
  auto main = [&]() -> task<> { co_await log.told.wait(); };
  r.run(main());
  presser.join();
}

TEST(doctor, serves_four_signals_and_puts_back_what_was_there) {
  std::vector<std::unique_ptr<runner>> runners;
  for (int i = 0; i < 5; ++i) {
    runner_options options;
    options.dump_signal = SIGRTMIN + i;
    runners.push_back(std::make_unique<runner>(options));
    runners.back()->run(yield());
  }
  struct sigaction now{};
  ::sigaction(SIGRTMIN + 3, nullptr, &now);
  EXPECT_NE(now.sa_handler, SIG_DFL);
  ::sigaction(SIGRTMIN + 4, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL) << "the fifth";
  runners.clear();
  runner_options options;
  options.dump_signal = SIGRTMIN + 4;
  runner again(options);
  again.run(yield());
  ::sigaction(SIGRTMIN + 4, nullptr, &now);
  EXPECT_NE(now.sa_handler, SIG_DFL) << "there is a place again";
}

}  // namespace
}  // namespace harrier::test
