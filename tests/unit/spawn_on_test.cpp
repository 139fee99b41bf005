// SPDX-License-Identifier: Apache-2.0
// runtime::spawn_on: a task starts on the worker that was named, and stays there.
#include <harrier/runtime.hpp>

#include "unit/held_worker.hpp"

#include <memory>
#include <optional>
#include <set>
#include <system_error>

namespace harrier::test {
namespace {

task<std::size_t> where() {
  const std::size_t id = this_worker::id().value();
  co_return id;
}

// Gives up its turn again and again, which is when a task that is not bound may be stolen.
task<bool> stays_on(std::size_t worker, int turns) {
  bool stayed = true;
  for (int turn = 0; turn < turns; ++turn) {
    stayed = stayed && this_worker::id() == worker;
    co_await yield();
  }
  co_return stayed;
}

TEST(spawn_on, runs_on_the_worker_that_is_named) {
  runtime rt(std::size_t{4});
  for (const std::size_t worker : {3u, 0u, 2u, 1u}) {
    auto handle = rt.spawn_on(worker, where());
    EXPECT_EQ(handle.get(), worker);
  }
}

TEST(spawn_on, starts_the_thread_of_that_worker_and_of_those_below) {
  runtime rt(std::size_t{4});
  EXPECT_EQ(rt.metrics().threads_started, 0u);
  EXPECT_EQ(rt.spawn_on(2, where()).get(), 2u);
  EXPECT_GE(rt.metrics().threads_started, 3u);
}

TEST(spawn_on, is_never_stolen_while_others_have_nothing_to_do) {
  runtime rt(std::size_t{4});
  std::vector<join_handle<bool>> handles;
  for (int i = 0; i < 64; ++i) handles.push_back(rt.spawn_on(1, stays_on(1, 200)));
  for (auto& handle : handles) EXPECT_TRUE(handle.get());
  EXPECT_EQ(rt.metrics().steals_resumed, 0u);
}

TEST(spawn_on, stays_after_a_sleep_a_join_and_an_offload) {
  runtime rt(std::size_t{3});
  auto main = [&]() -> task<std::set<std::size_t>> {
    std::set<std::size_t> seen{this_worker::id().value()};
    co_await sleep_for(1us);
    seen.insert(this_worker::id().value());
    auto elsewhere = rt.spawn_on(0, give(1));
    co_await elsewhere;
    seen.insert(this_worker::id().value());
    auto call = [] {};
    auto operation = offload_blocking(call);
    co_await operation;
    seen.insert(this_worker::id().value());
    co_return seen;
  };
  EXPECT_EQ(rt.spawn_on(2, main()).get(), std::set<std::size_t>{2});
}

// The parent waits for a child that a thief has. The thief may not go on with the parent.
TEST(spawn_on, a_bound_parent_goes_on_at_home_when_a_thief_ends_its_child) {
  runtime rt(std::size_t{2});
  auto child = [](std::latch& stolen) -> task<std::size_t> {
    stolen.count_down();
    const std::size_t id = this_worker::id().value();
    co_return id;
  };
  auto parent = [&]() -> task<bool> {
    std::latch stolen(1);
    auto forked = co_await fork(child(stolen));
    stolen.wait();  // this worker is blocked, so the other one took it
    co_await yield();
    const std::size_t by = co_await forked;
    co_return by == 1 && this_worker::id() == 0u;
  };
  EXPECT_EQ(rt.spawn_on(1, where()).get(), 1u);
  for (int round = 0; round < 200; ++round) EXPECT_TRUE(rt.spawn_on(0, parent()).get());
}

TEST(spawn_on, a_worker_out_of_range_is_refused_with_the_number_and_the_limit) {
  runtime rt(std::size_t{2});
  std::string text;
  auto t = give(1);
  try {
    (void)rt.spawn_on(7, std::move(t));
  } catch (const std::out_of_range& e) {
    text = e.what();
  }
  EXPECT_NE(text.find("worker is 7"), std::string::npos) << text;
  EXPECT_NE(text.find("has 2"), std::string::npos) << text;
  EXPECT_THROW((void)rt.spawn_on(2, give(1)), std::out_of_range);
  EXPECT_EQ(rt.metrics().threads_started, 0u) << "a refused call starts nothing";
}

TEST(spawn_on, of_an_empty_task_throws_invalid_task) {
  runtime rt(std::size_t{1});
  auto t = give(1);
  const auto other = std::move(t);
  EXPECT_THROW((void)rt.spawn_on(0, std::move(t)),
               invalid_task);  // NOLINT(bugprone-use-after-move)
}

TEST(spawn_on, after_stop_throws_runtime_stopped) {
  runtime rt(std::size_t{2});
  rt.stop();
  EXPECT_THROW((void)rt.spawn_on(1, give(1)), runtime_stopped);
}

TEST(spawn_on, a_worker_whose_thread_cannot_be_started_is_reported) {
  runtime_options options;
  options.workers = 3;
  give_one_thread_only(options);
  runtime rt(options);
  EXPECT_EQ(rt.spawn_on(0, where()).get(), 0u);
  std::string text;
  try {
    (void)rt.spawn_on(2, where());
  } catch (const std::system_error& e) {
    text = e.what();
  }
  EXPECT_NE(text.find("worker 2 has no thread"), std::string::npos) << text;
  EXPECT_EQ(rt.spawn_on(0, where()).get(), 0u);
}

TEST(spawn_on, from_inside_for_the_own_worker_and_for_another) {
  runtime rt(std::size_t{3});
  auto main = [&]() -> task<std::vector<std::size_t>> {
    auto own = rt.spawn_on(1, where());
    auto other = rt.spawn_on(2, where());
    std::vector<std::size_t> ids;
    ids.push_back(co_await own);
    ids.push_back(co_await other);
    co_return ids;
  };
  EXPECT_EQ(rt.spawn_on(1, main()).get(), (std::vector<std::size_t>{1, 2}));
}

TEST(spawn_on, from_a_worker_of_another_runtime) {
  runtime rt(std::size_t{2});
  runtime other(std::size_t{2});
  auto main = [&]() -> task<std::size_t> {
    auto handle = rt.spawn_on(1, where());
    const std::size_t id = co_await handle;
    co_return id;
  };
  EXPECT_EQ(other.run(main()), 1u);
}

TEST(spawn_on, tasks_for_one_worker_run_in_the_order_in_which_they_were_sent) {
  runtime rt(std::size_t{2});
  std::vector<int> order;  // one worker writes it
  auto body = [&](int i) -> task<> {
    order.push_back(i);
    co_return;
  };
  {
    const held_worker busy(rt, 1);
    for (int i = 0; i < 1000; ++i) rt.spawn_on(1, body(i)).detach();
  }
  ASSERT_TRUE(rt.drain(10s));
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(spawn_on, cancel_before_the_start_never_runs_the_body) {
  runtime rt(std::size_t{2});
  bool started = false;
  {
    held_worker busy(rt, 1);
    auto handle = rt.spawn_on(1, hold(tracked(), started));
    EXPECT_TRUE(handle.cancel());
    busy.release();
    EXPECT_THROW(handle.get(), run_cancelled);
  }
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(spawn_on, drain_waits_for_what_is_still_on_its_way) {
  runtime rt(std::size_t{2});
  held_worker busy(rt, 1);
  auto handle = rt.spawn_on(1, where());
  EXPECT_FALSE(rt.drain(1ms));
  busy.release();
  EXPECT_TRUE(rt.drain(10s));
  EXPECT_TRUE(handle.done());
}

TEST(spawn_on, stop_cancels_what_is_still_on_its_way) {
  bool started = false;
  std::optional<join_handle<void>> handle;
  {
    runtime rt(std::size_t{2});
    held_worker busy(rt, 1);
    handle = rt.spawn_on(1, hold(tracked(), started));
    std::thread stopper([&] { rt.stop(); });
    // The sweep, which is_stopped() comes before.
    while (handle->cancelling() == 0) std::this_thread::yield();
    busy.release();
    stopper.join();
  }
  EXPECT_THROW(handle->get(), run_cancelled);
  EXPECT_FALSE(started);
}

TEST(spawn_on, an_error_that_nobody_took_is_reported_with_the_name) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.exception_handler = std::ref(log);
  {
    runtime rt(options);
    rt.spawn_on(1, throw_boom("lost"), "the lost one").detach();
    EXPECT_TRUE(rt.drain(10s));
  }
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log.at(0).task_name, "the lost one");
}

TEST(spawn_on, counts_as_spawned_and_finished) {
  runtime rt(std::size_t{2});
  for (int i = 0; i < 10; ++i) rt.spawn_on(1, give(i)).wait();
  EXPECT_TRUE(rt.drain(10s));
  EXPECT_EQ(rt.metrics().tasks_spawned, 10u);
  EXPECT_EQ(rt.metrics().tasks_finished, 10u);
}

TEST(spawn_on, queue_limit_is_the_room_of_each_worker) {
  runtime_options options;
  options.workers = 2;
  options.queue_limit = 2;
  runtime rt(options);
  held_worker first(rt, 0);
  held_worker second(rt, 1);
  std::atomic<int> spawned{0};
  std::thread spawner([&] {
    for (int i = 0; i < 50; ++i) {
      rt.spawn_on(1, give(i)).detach();
      spawned.fetch_add(1);
    }
  });
  auto elsewhere = rt.spawn_on(0, where());  // its worker has room
  std::this_thread::yield();
  EXPECT_LE(spawned.load(), 2);
  first.release();
  EXPECT_EQ(elsewhere.get(), 0u);
  second.release();
  spawner.join();
  EXPECT_TRUE(rt.drain(10s));
}

TEST(spawn_on, a_stop_ends_the_wait_for_room) {
  runtime_options options;
  options.workers = 1;
  options.queue_limit = 1;
  runtime rt(options);
  held_worker busy(rt, 0);
  auto first = rt.spawn_on(0, where());
  std::atomic<bool> refused{false};
  std::thread spawner([&] {
    try {
      (void)rt.spawn_on(0, where());
    } catch (const runtime_stopped&) {
      refused = true;
    }
  });
  std::thread stopper([&] { rt.stop(); });
  spawner.join();
  EXPECT_TRUE(refused);
  busy.release();
  stopper.join();
  EXPECT_THROW((void)first.get(), run_cancelled);
}

}  // namespace
}  // namespace harrier::test
