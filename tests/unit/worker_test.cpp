// SPDX-License-Identifier: Apache-2.0
// What a coroutine and a hook see of the worker they run on.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <pthread.h>

#include <array>
#include <map>
#include <set>

namespace harrier::test {
namespace {

std::string thread_name() {
  char name[32] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

TEST(this_worker, has_no_id_outside_a_worker) {
  EXPECT_FALSE(this_worker::id().has_value());
  EXPECT_THROW((void)this_worker::runner(), no_running_loop);
  auto main = []() -> task<bool> { co_return this_worker::id().has_value(); };
  EXPECT_FALSE(run(main())) << "a lone runner is no worker";
}

TEST(this_worker, id_is_below_the_number_of_workers) {
  runtime rt(std::size_t{3});
  auto body = [](std::uint64_t) -> task<std::size_t> { co_return this_worker::id().value(); };
  auto b = rt.dispatch(10'000, body);
  for (const std::size_t id : b.get()) ASSERT_LT(id, 3u);
}

TEST(this_worker, runner_is_the_one_whose_loop_runs) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<bool> {
    runner& mine = this_worker::runner();
    co_return &mine.loop() == &this_loop();
  };
  EXPECT_TRUE(rt.run(main()));
}

TEST(this_worker, one_id_is_one_loop) {
  runtime rt(std::size_t{4});
  std::mutex mutex;
  std::map<std::size_t, std::set<const event_loop*>> loops;
  auto body = [&](std::uint64_t) -> task<> {
    const std::lock_guard lock(mutex);
    loops[this_worker::id().value()].insert(&this_loop());
    co_return;
  };
  rt.dispatch(10'000, body).get();
  for (const auto& [id, seen] : loops) EXPECT_EQ(seen.size(), 1u) << "worker " << id;
}

TEST(this_worker, two_coroutines_never_run_at_once_on_one_id) {
  runtime rt(std::size_t{4});
  std::array<std::atomic<int>, 4> inside{};
  std::atomic<bool> overlapped{false};
  auto body = [&](std::uint64_t) -> task<> {
    for (int k = 0; k < 2; ++k) {
      auto& mine = inside.at(this_worker::id().value());
      if (mine.fetch_add(1) != 0) overlapped = true;
      mine.fetch_sub(1);
      co_await yield();
    }
  };
  rt.dispatch(20'000, body).get();
  EXPECT_FALSE(overlapped);
}

TEST(worker, threads_are_named_after_their_slot) {
  std::mutex mutex;
  std::set<std::string> names;
  runtime_options options;
  options.provider = thread_provider::own_threads;  // whose names and hooks these are
  options.workers = 2;
  options.on_thread_start = [&](std::size_t) {
    const std::lock_guard lock(mutex);
    names.insert(thread_name());
  };
  {
    runtime rt(options);
    rt.spawn(give(1)).wait();
  }
  EXPECT_EQ(names.count("harrier/0"), 1u);
  for (const std::string& name : names) {
    EXPECT_TRUE(name == "harrier/0" || name == "harrier/1") << name;
  }
}

TEST(worker, hooks_run_on_the_thread_once_each_and_in_pairs) {
  std::mutex mutex;
  std::multiset<std::size_t> starts;
  std::multiset<std::size_t> stops;
  std::map<std::size_t, std::thread::id> thread_of;
  runtime_options options;
  options.provider = thread_provider::own_threads;  // whose names and hooks these are
  options.workers = 3;
  options.on_thread_start = [&](std::size_t id) {
    const std::lock_guard lock(mutex);
    starts.insert(id);
    thread_of[id] = std::this_thread::get_id();
  };
  options.on_thread_stop = [&](std::size_t id) {
    const std::lock_guard lock(mutex);
    stops.insert(id);
    EXPECT_EQ(thread_of[id], std::this_thread::get_id());
  };
  std::uint64_t started = 0;
  {
    runtime rt(options);
    auto body = [](std::uint64_t) -> task<> { co_await yield(); };
    rt.dispatch(10'000, body).get();
    rt.spawn(give(1)).wait();
    started = rt.metrics().threads_started;
  }
  EXPECT_EQ(starts, stops);
  EXPECT_GE(starts.size(), started);
  EXPECT_LE(starts.size(), 3u);
  const std::set<std::size_t> distinct(starts.begin(), starts.end());
  EXPECT_EQ(distinct.size(), starts.size());
  for (const std::size_t id : starts) EXPECT_LT(id, 3u);
}

TEST(worker, hooks_are_not_called_for_a_runtime_that_is_never_used) {
  int calls = 0;
  runtime_options options;
  options.workers = 2;
  options.on_thread_start = [&](std::size_t) { ++calls; };
  options.on_thread_stop = [&](std::size_t) { ++calls; };
  {
    const runtime rt(options);
  }
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace harrier::test
