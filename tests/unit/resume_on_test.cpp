// SPDX-License-Identifier: Apache-2.0
// resume_on and resume_anywhere: a running task moves to a worker, stays there, and is let go.
#include <harrier/runtime.hpp>

#include "unit/held_worker.hpp"

#include <latch>
#include <set>
#include <system_error>

namespace harrier::test {
namespace {

std::size_t here_id() { return this_worker::id().value(); }

TEST(resume_on, moves_a_spawned_task_and_back) {
  runtime rt(std::size_t{3});
  auto main = []() -> task<std::vector<std::size_t>> {
    std::vector<std::size_t> ids;
    for (const std::size_t worker : {2u, 0u, 1u, 1u, 2u}) {
      co_await resume_on(worker);
      ids.push_back(here_id());
    }
    co_return ids;
  };
  EXPECT_EQ(rt.run(main()), (std::vector<std::size_t>{2, 0, 1, 1, 2}));
}

TEST(resume_on, binds) {
  runtime rt(std::size_t{4});
  auto main = []() -> task<bool> {
    co_await resume_on(2);
    for (int turn = 0; turn < 500; ++turn) {
      if (here_id() != 2) co_return false;
      co_await yield();
    }
    co_await sleep_for(1us);
    co_return here_id() == 2;
  };
  std::vector<join_handle<bool>> handles;
  for (int i = 0; i < 32; ++i) handles.push_back(rt.spawn(main()));
  for (auto& handle : handles) EXPECT_TRUE(handle.get());
}

TEST(resume_on, moves_items_of_a_batch) {
  runtime rt(std::size_t{3});
  auto body = [](std::uint64_t i) -> task<std::size_t> {
    co_await resume_on(i % 3);
    co_await yield();
    const std::size_t id = here_id();
    co_return id;
  };
  auto b = rt.dispatch(3000, body);
  const auto ids = b.get();
  for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], i % 3) << "item " << i;
}

TEST(resume_on, an_awaited_child_moves_its_parent) {
  runtime rt(std::size_t{2});
  auto child = []() -> task<> { co_await resume_on(1); };
  auto main = [&]() -> task<std::size_t> {
    co_await resume_on(0);
    auto moving = child();
    co_await moving;
    const std::size_t id = here_id();
    co_return id;
  };
  EXPECT_EQ(rt.run(main()), 1u);
}

TEST(resume_on, a_forked_child_that_nobody_stole_moves_its_parent) {
  runtime rt(std::size_t{1});
  auto child = []() -> task<int> {
    co_await resume_on(0);
    co_return 1;
  };
  auto main = [&]() -> task<int> {
    auto forked = co_await fork(child());
    const int one = co_await forked;
    co_return one;
  };
  EXPECT_EQ(rt.run(main()), 1);
}

// The parent blocks its worker, so the other one takes the child, which then moves home by itself.
TEST(resume_on, a_stolen_child_moves_alone) {
  runtime rt(std::size_t{3});
  rt.spawn_on(1, give(1)).wait();
  auto child = [](std::latch& stolen) -> task<std::size_t> {
    stolen.count_down();
    co_await resume_on(2);
    const std::size_t id = here_id();
    co_return id;
  };
  auto parent = [&]() -> task<bool> {
    std::latch stolen(1);
    auto forked = co_await fork(child(stolen));
    stolen.wait();
    const std::size_t at = co_await forked;
    co_return at == 2 && here_id() == 0;
  };
  for (int round = 0; round < 100; ++round) EXPECT_TRUE(rt.spawn_on(0, parent()).get());
}

TEST(resume_on, a_parent_that_moves_joins_the_child_that_it_left_behind) {
  runtime rt(std::size_t{2});
  auto child = []() -> task<int> { co_return 5; };
  auto main = [&]() -> task<int> {
    co_await resume_on(0);
    auto forked = co_await fork(child());
    co_await resume_on(1);
    const int five = co_await forked;
    co_return here_id() == 1 ? five : -1;
  };
  for (int round = 0; round < 500; ++round) ASSERT_EQ(rt.run(main()), 5);
}

TEST(resume_on, starts_a_thread_that_does_not_run_yet) {
  runtime rt(std::size_t{4});
  auto main = []() -> task<std::size_t> {
    co_await resume_on(3);
    const std::size_t id = here_id();
    co_return id;
  };
  EXPECT_EQ(rt.run(main()), 3u);
  EXPECT_EQ(rt.metrics().threads_started, 4u);
}

TEST(resume_on, a_worker_out_of_range_is_refused_and_the_task_goes_on_unbound) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<std::string> {
    std::string text;
    try {
      co_await resume_on(2);
    } catch (const std::out_of_range& e) {
      text = e.what();
    }
    co_await yield();
    co_return text;
  };
  const std::string text = rt.run(main());
  EXPECT_NE(text.find("worker is 2"), std::string::npos) << text;
  EXPECT_NE(text.find("has 2"), std::string::npos) << text;
}

TEST(resume_on, outside_a_worker_throws_no_running_loop) {
  auto main = []() -> task<bool> {
    try {
      co_await resume_on(0);
    } catch (const no_running_loop&) {
      co_return true;
    }
    co_return false;
  };
  EXPECT_TRUE(run(main()));
}

TEST(resume_on, without_a_thread_there_the_task_stays_where_it_is) {
  runtime_options options;
  options.workers = 2;
  give_one_thread_only(options);
  runtime rt(options);
  auto main = []() -> task<bool> {
    bool refused = false;
    try {
      co_await resume_on(1);
    } catch (const std::system_error&) {
      refused = true;
    }
    co_return refused&& here_id() == 0;
  };
  EXPECT_TRUE(rt.run(main()));
}

TEST(resume_on, where_it_is_already_only_binds) {
  runtime rt(std::size_t{1});
  int turns = 0;
  auto other = [&]() -> task<> {
    ++turns;
    co_return;
  };
  auto main = [&]() -> task<int> {
    auto handle = rt.spawn(other());
    co_await resume_on(0);
    const int before = turns;  // it did not give up its turn
    co_await handle;
    co_return before;
  };
  EXPECT_EQ(rt.run(main()), 0);
  EXPECT_EQ(turns, 1);
}

// The new worker is blocked, so the cancel finds the task on its way.
TEST(resume_on, a_cancel_on_the_way_is_delivered_once_on_arrival) {
  runtime rt(std::size_t{2});
  tally left;
  int cancels = 0;
  std::size_t at = 99;
  auto main = [&](tracked) -> task<int> {
    co_await resume_on(0);
    left.add();
    try {
      co_await resume_on(1);
    } catch (const cancelled&) {
      ++cancels;
      at = here_id();
    }
    co_await yield();  // a second delivery would throw here
    co_return 7;
  };
  held_worker held(rt, 1);
  auto handle = rt.spawn_on(0, main(tracked()));
  left.wait_for(1);
  EXPECT_EQ(rt.spawn_on(0, give(3)).get(), 3);  // so it has left
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(cancels, 0);
  held.release();
  EXPECT_EQ(handle.get(), 7);
  EXPECT_EQ(cancels, 1);
  EXPECT_EQ(at, 1u);
}

TEST(resume_on, a_cancel_that_is_due_before_it_leaves_keeps_it_where_it_is) {
  runtime rt(std::size_t{2});
  std::latch cancelled_it(1);
  tally started;
  auto main = [&]() -> task<std::size_t> {
    started.add();
    cancelled_it.wait();
    try {
      co_await resume_on(1);
    } catch (const cancelled&) {
      const std::size_t id = here_id();
      co_return id;
    }
    co_return 99;
  };
  auto handle = rt.spawn_on(0, main());
  started.wait_for(1);
  EXPECT_TRUE(handle.cancel());
  cancelled_it.count_down();
  EXPECT_EQ(handle.get(), 0u);
}

TEST(resume_on, a_cancelled_batch_finds_its_items_on_their_way) {
  runtime rt(std::size_t{2});
  std::atomic<int> arrived{0};
  auto body = [&](std::uint64_t) -> task<> {
    co_await resume_on(1);
    ++arrived;
    co_await sleep_for(24h);
  };
  held_worker held(rt, 1);
  auto b = rt.dispatch(100, body);
  while (b.counts().started < 50) std::this_thread::yield();  // at least those of worker 0
  b.cancel();
  held.release();
  b.wait();
  EXPECT_EQ(b.counts().cancelled, 100u);
  EXPECT_EQ(arrived.load(), 0);
}

TEST(resume_on, stop_finds_a_task_on_its_way) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<> {
    co_await resume_on(1);
    co_await sleep_for(24h);  // the sweep may come after its arrival
    ADD_FAILURE() << "nobody cancelled it";
  };
  held_worker held(rt, 1);
  auto handle = rt.spawn_on(0, main());
  EXPECT_EQ(rt.spawn_on(0, give(3)).get(), 3);
  EXPECT_FALSE(rt.drain(1ms)) << "it counts as live";
  std::thread stopper([&] { rt.stop(); });
  while (!rt.is_stopped()) std::this_thread::yield();
  held.release();
  stopper.join();
  EXPECT_THROW(handle.get(), run_cancelled);
}

TEST(resume_anywhere, lets_the_task_be_stolen_again) {
  runtime rt(std::size_t{2});
  rt.spawn_on(1, give(1)).wait();
  std::latch stolen(1);
  auto main = [&]() -> task<std::size_t> {
    co_await resume_on(0);
    co_await resume_anywhere();
    while (here_id() == 0) co_await yield();
    const std::size_t id = here_id();
    stolen.count_down();
    co_return id;
  };
  auto handle = rt.spawn_on(0, main());
  // Worker 0 is blocked behind it sooner or later, so only a thief can go on with it.
  auto block = [&]() -> task<> {
    stolen.wait();
    co_return;
  };
  auto blocker = rt.spawn_on(0, block());
  EXPECT_EQ(handle.get(), 1u);
  blocker.get();  // it uses the latch
}

TEST(resume_anywhere, unbinds_what_was_spawned_on_a_worker_and_delivers_a_cancel) {
  runtime rt(std::size_t{1});
  std::latch go(1);
  tally started;
  auto main = [&]() -> task<bool> {
    started.add();
    go.wait();
    try {
      co_await resume_anywhere();
    } catch (const cancelled&) {
      co_return true;
    }
    co_return false;
  };
  auto handle = rt.spawn_on(0, main());
  started.wait_for(1);
  handle.cancel();
  go.count_down();
  EXPECT_TRUE(handle.get());
}

TEST(resume_anywhere, on_a_lone_runner_is_a_yield) {
  auto main = []() -> task<int> {
    co_await resume_anywhere();
    co_return 4;
  };
  EXPECT_EQ(run(main()), 4);
}

}  // namespace
}  // namespace harrier::test
