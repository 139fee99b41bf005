// SPDX-License-Identifier: Apache-2.0
// Forked children that go unjoined while a thief has them: the parent waits in the middle of a step, and its
// worker goes on meanwhile with another thread.
#include <harrier/context.hpp>
#include <harrier/runtime.hpp>
#include <harrier/sync/event.hpp>

#include "support.hpp"

#include <array>
#include <functional>
#include <memory>
#include <system_error>

using namespace harrier;
using namespace harrier::test;

namespace {

/// Says that it has begun, and when it is cancelled, and goes on for a while.
task<> ends_late(event& has_begun, event& is_cancelled, int turns) {
  try {
    has_begun.set();
    co_await sleep_for(24h);
  } catch (const cancelled&) {
    is_cancelled.set();
  }
  for (; turns != 0; --turns) co_await yield();
}

/// Fails while somebody else has its child, once `may_fail` is set.
task<> drops(task<> child, event& may_fail) {
  auto dropped = co_await fork(std::move(child));
  co_await may_fail.wait();
  throw boom();
}

/// What `rt` still does while a parent waits for its child.
template <class Work>
void expect_done_in_a_drop(runtime& rt, Work work) {
  event may_fail;
  auto child = [&]() -> task<> {
    try {
      may_fail.set();
      co_await sleep_for(24h);
    } catch (const cancelled&) {
    }
    auto rest = work();
    co_await rest;
  };
  EXPECT_THROW(rt.run(drops(child(), may_fail)), boom);
}

}  // namespace

// The inner parent waits for its child; meanwhile the outer one fails, and waits for the inner one.
TEST(dropped_fork, a_parent_that_is_waited_for_while_it_waits_goes_on) {
  for (const std::size_t workers : {1u, 2u}) {
    runtime rt(workers);
    event inner_fails;
    event outer_fails;
    auto child = ends_late(inner_fails, outer_fails, 20);
    auto all = rt.spawn(drops(drops(std::move(child), inner_fails), outer_fails));
    ASSERT_TRUE(all.wait_for(60s)) << workers << " workers";
    EXPECT_THROW(all.get(), boom);
  }
}

/// As drops(), and lets the one above know when it has begun to fail.
task<> drops_and_tells(task<> child, event& may_fail, event& above) {
  class tells {
   public:
    explicit tells(event& whom) : whom_(whom) {}
    ~tells() { whom_.set(); }
    tells(const tells&) = delete;
    tells& operator=(const tells&) = delete;

   private:
    event& whom_;
  };
  auto dropped = co_await fork(std::move(child));
  const tells first_of_all(above);
  co_await may_fail.wait();
  throw boom();
}

TEST(dropped_fork, many_wait_for_each_other_on_one_worker) {
  runtime rt(std::size_t{1});
  constexpr std::size_t levels = 12;
  std::array<event, levels + 1> may_fail;
  event cancelled_at_last;
  task<> nested = ends_late(may_fail[levels], cancelled_at_last, 100);
  for (std::size_t level = levels; level != 0; --level) {
    nested = drops_and_tells(std::move(nested), may_fail[level], may_fail[level - 1]);
  }
  auto all = rt.spawn(std::move(nested));
  ASSERT_TRUE(all.wait_for(60s));
  EXPECT_THROW(all.get(), boom);
}

TEST(dropped_fork, hundreds_at_once_on_one_worker) {
  runtime rt(std::size_t{1});
  constexpr std::size_t parents = 300;
  event may_fail;
  event begun;
  event ended;
  std::vector<join_handle<void>> all;
  all.reserve(parents);
  for (std::size_t each = 0; each < parents; ++each) {
    all.push_back(rt.spawn(drops(ends_late(begun, ended, 3), may_fail)));
  }
  auto start = [&]() -> task<> {
    for (int turn = 0; turn < 10; ++turn) co_await yield();
    may_fail.set();
  };
  rt.run(start());
  for (join_handle<void>& each : all) {
    ASSERT_TRUE(each.wait_for(60s));
    EXPECT_THROW(each.get(), boom);
  }
}

TEST(dropped_fork, its_worker_starts_items_of_a_batch_meanwhile) {
  runtime rt(std::size_t{1});
  expect_done_in_a_drop(rt, [&]() -> task<> {
    auto squares = rt.dispatch(100, [](std::uint64_t index) -> task<std::uint64_t> {
      if (index % 7 == 3) co_await yield();
      co_return index* index;
    });
    const auto values = co_await squares;
    EXPECT_EQ(values[99], 9801u);
  });
}

TEST(dropped_fork, its_worker_takes_what_is_handed_in_meanwhile) {
  runtime rt(std::size_t{1});
  std::thread outside;
  expect_done_in_a_drop(rt, [&]() -> task<> {
    event told;
    outside = std::thread([&] {
      auto tell = [&]() -> task<> {
        told.set();
        co_return;
      };
      rt.run(tell());
    });
    co_await told.wait();
  });
  outside.join();
}

TEST(dropped_fork, its_worker_fires_timers_meanwhile) {
  runtime rt(std::size_t{1});
  expect_done_in_a_drop(rt, []() -> task<> { co_await sleep_for(2ms); });
}

// While everything sleeps, the clock may go on.
TEST(dropped_fork, a_virtual_clock_goes_on_meanwhile) {
  for (const std::size_t workers : {1u, 2u}) {
    virtual_clock time;
    runtime_options options;
    options.provider =
        thread_provider::own_threads;  // with oneTBB's, a slot that sleeps has no thread
    options.workers = workers;
    options.time = &time;
    runtime rt(options);
    const time_point before = time.now();
    expect_done_in_a_drop(rt, []() -> task<> { co_await sleep_for(1min); });
    EXPECT_GE(time.now() - before, 1min);
  }
}

// The item that waits was started with others of its chunk, and the rest of the chunk is not lost.
TEST(dropped_fork, in_an_item_every_other_item_of_its_batch_runs_once) {
  constexpr std::size_t items = 500;
  for (const std::size_t workers : {1u, 2u}) {
    for (const bool in_turn : {false, true}) {
      runtime rt(workers);
      std::vector<std::atomic<int>> runs(items);
      dispatch_options how;
      how.on_error(collect_all);
      if (in_turn) how.round_robin();
      auto all = rt.for_each(
          items,
          [&](std::uint64_t index) -> task<> {
            runs[index].fetch_add(1);
            if (index % 3 == 0) co_await yield();
            if (index % 5 != 0) co_return;
            event may_fail;
            auto child = [&]() -> task<> {
              may_fail.set();
              co_await sleep_for(24h);
            };
            auto parent = drops(child(), may_fail);
            co_await parent;
          },
          how);
      all.wait();
      EXPECT_EQ(all.errors().size(), items / 5);
      EXPECT_EQ(all.counts().completed, items - items / 5);
      for (const std::atomic<int>& each : runs) ASSERT_EQ(each.load(), 1);
    }
  }
}

// The item waits in its first step, in the middle of a chunk, of which its worker gives back what is left as
// soon as something is ready: the item itself.
TEST(dropped_fork, in_the_first_step_of_an_item_its_chunk_goes_on_where_it_was) {
  constexpr std::size_t items = 20'000;
  constexpr std::uint64_t one_that_waits = 4000;  // the chunks have grown by then
  // A thief takes ranges before children, if it may.
  dispatch_options how;
  how.round_robin().strictly();
  for (int round = 0; round < 20; ++round) {
    runtime rt(std::size_t{2});
    std::vector<std::atomic<int>> runs(items);
    tally begun;
    auto child = [&]() -> task<> {
      begun.add();
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
      }
      co_await sleep_for(1ms);
    };
    auto parent = [&]() -> task<> {
      auto dropped = co_await fork(child());
      begun.wait_for(1);  // the other worker has it
      throw boom();
    };
    auto caught = [](task<> failing) -> task<> {
      try {
        co_await failing;
      } catch (const boom&) {
      }
    };
    auto all = rt.for_each(
        items,
        [&](std::uint64_t index) -> task<> {
          runs[index].fetch_add(1);
          if (index == one_that_waits) {
            auto failing = caught(parent());
            co_await failing;
          }
          if (index >= one_that_waits) co_await yield();
        },
        how);
    ASSERT_TRUE(all.wait_for(60s));
    EXPECT_EQ(all.counts().completed, items);
    for (const std::atomic<int>& each : runs) ASSERT_EQ(each.load(), 1);
  }
}

TEST(dropped_fork, its_parent_stays_in_its_thread) {
  runtime rt(std::size_t{1});
  std::thread::id before;
  std::thread::id after;
  auto parent = [&]() -> task<> {
    class looks {
     public:
      explicit looks(std::thread::id& at) : at_(at) {}
      ~looks() { at_ = std::this_thread::get_id(); }
      looks(const looks&) = delete;
      looks& operator=(const looks&) = delete;

     private:
      std::thread::id& at_;
    };
    event may_fail;
    event ignored;
    const looks at_the_end(after);
    auto dropped = co_await fork(ends_late(may_fail, ignored, 3));
    co_await may_fail.wait();
    before = std::this_thread::get_id();
    throw boom();
  };
  EXPECT_THROW(rt.run(parent()), boom);
  EXPECT_EQ(before, after);
}

TEST(dropped_fork, its_parent_finds_its_context_again) {
  context_var<int> whose("whose", 0);
  runtime rt(std::size_t{1});
  int found = -1;
  event may_fail;
  event ignored;
  auto parent = [&]() -> task<> {
    whose.set(1);
    try {
      auto failing = drops(ends_late(may_fail, ignored, 3), may_fail);
      co_await failing;
    } catch (const boom&) {  // still in the step that has waited
      found = whose.get();
    }
  };
  rt.run(parent());
  EXPECT_EQ(found, 1);
}

/// Calls `at_the_bottom` in a step that runs inside `levels` others.
task<> nest_eagerly(int levels, std::function<void()> at_the_bottom) {
  if (levels == 0) {
    at_the_bottom();
    co_return;
  }
  co_await spawn(eager, nest_eagerly(levels - 1, std::move(at_the_bottom)));
}

/// Whether a task that is spawned eagerly starts here and now. If not, it starts when this has returned.
bool starts_at_once() {
  auto has_started = std::make_shared<bool>(false);
  auto notes = [](std::shared_ptr<bool> at) -> task<> {
    *at = true;
    co_return;
  };
  spawn(eager, notes(has_started)).detach();
  return *has_started;
}

TEST(dropped_fork, steps_inside_of_steps_are_counted_for_each_thread_by_itself) {
  runtime rt(std::size_t{1});
  constexpr int most_nested = 16;
  bool meanwhile = false;
  bool afterwards = true;
  auto child = [&](event& begun) -> task<> {
    try {
      begun.set();
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      meanwhile = starts_at_once();
    }
  };
  auto parent = [&]() -> task<> {
    event begun;
    auto dropped = std::make_unique<forked<void>>(co_await fork(child(begun)));
    co_await begun.wait();
    auto nested = nest_eagerly(most_nested, [&] {
      dropped.reset();
      afterwards = starts_at_once();
    });
    co_await nested;
  };
  rt.run(parent());
  EXPECT_TRUE(meanwhile);
  EXPECT_FALSE(afterwards);
}

TEST(dropped_fork, every_thread_has_its_hooks) {
  std::atomic<int> started{0};
  std::atomic<int> stopped{0};
  {
    runtime_options options;
    options.provider = thread_provider::own_threads;  // one pair of hooks for each thread
    options.workers = 1;
    options.on_thread_start = [&](std::size_t worker) {
      EXPECT_EQ(worker, 0u);
      ++started;
    };
    options.on_thread_stop = [&](std::size_t) { ++stopped; };
    runtime rt(options);
    for (int round = 0; round < 3; ++round) {
      expect_done_in_a_drop(rt, []() -> task<> { co_await yield(); });
    }
    EXPECT_EQ(started.load(), 2);  // the deputy is kept
    EXPECT_EQ(rt.metrics().deputies_started, 1u);
  }
  EXPECT_EQ(stopped.load(), 2);
}

TEST(dropped_fork, the_doctor_lists_the_parent_as_one_that_runs_and_what_the_child_waits_for) {
  runtime rt(std::size_t{1});
  event may_fail;
  event may_end;
  auto child = [&]() -> task<> {
    try {
      may_fail.set();
      co_await sleep_for(24h);
    } catch (const cancelled&) {
    }
    co_await may_end.wait();
  };
  auto parent = rt.spawn(drops(child(), may_fail), "parent");
  const auto tells_of_both = [&] {
    const diagnosis found = rt.diagnose();
    bool parent_runs = false;
    bool child_waits = false;
    for (const task_diagnosis& each : found.tasks) {
      parent_runs |= each.name == "parent" && each.state == task_state::runs;
      child_waits |= each.waits_for.starts_with("event::wait");
    }
    return found.tasks.size() == 2 && parent_runs && child_waits;
  };
  while (!tells_of_both()) std::this_thread::sleep_for(1ms);
  may_end.set();
  EXPECT_THROW(parent.get(), boom);
}

TEST(dropped_fork, a_runtime_that_is_stopped_twice_has_let_its_threads_go) {
  runtime rt(std::size_t{1});
  expect_done_in_a_drop(rt, []() -> task<> { co_await yield(); });
  rt.stop();
  rt.stop();
}

TEST(dropped_fork, without_another_thread_the_parent_runs_what_is_ready) {
  std::atomic<int> refused{0};
  runtime_options options;
  options.provider = thread_provider::own_threads;  // the one with a thread_factory
  options.workers = 1;
  options.thread_factory = [&, made = 0](std::function<void()> body) mutable {
    if (made++ != 0) {
      ++refused;
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    return std::thread(std::move(body));
  };
  runtime rt(options);
  expect_done_in_a_drop(rt, []() -> task<> { co_await sleep_for(1ms); });
  EXPECT_EQ(refused.load(), 1);
  EXPECT_EQ(rt.metrics().deputies_started, 0u);
}
