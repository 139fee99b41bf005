// SPDX-License-Identifier: Apache-2.0
// event_loop::submit() from other threads, and what a thread that blocks on the handle may do.
#include "support.hpp"

#include <atomic>
#include <thread>

namespace harrier::test {
namespace {

/// A loop that a thread of its own runs until the end of the scope.
class loop_thread {
 public:
  loop_thread()
      : thread_([this] {
          try {
            runner_.run(serve());
          } catch (const run_cancelled&) {  // how it ends
          }
          runner_.close();
        }) {
    up_.wait_for(1);
  }
  ~loop_thread() {
    end_.cancel();
    thread_.join();
  }
  loop_thread(const loop_thread&) = delete;
  loop_thread& operator=(const loop_thread&) = delete;
  event_loop& loop() { return *loop_; }

 private:
  task<> serve() {
    loop_ = &this_loop();
    end_ = spawn(sleep_for_ever());
    up_.add();
    co_await end_;
  }

  runner runner_;
  event_loop* loop_ = nullptr;
  join_handle<void> end_;
  tally up_;
  std::thread thread_;
};

task<std::thread::id> where() { co_return std::this_thread::get_id(); }

TEST(submit, runs_on_the_thread_of_the_loop_and_gives_the_result) {
  loop_thread other;
  auto handle = other.loop().submit(where(), "where");
  const std::thread::id at = handle.get();
  EXPECT_NE(at, std::this_thread::get_id());
  EXPECT_EQ(other.loop().submit(sleep_then(1ms, 7)).get(), 7);
  auto failing = other.loop().submit(throw_boom());
  EXPECT_THROW(failing.get(), boom);
}

TEST(submit, a_wait_that_is_too_short_leaves_the_task_to_be_cancelled) {
  loop_thread other;
  auto handle = other.loop().submit(sleep_for_ever());
  EXPECT_FALSE(handle.wait_for(1ms));
  EXPECT_FALSE(handle.wait_for(0s));
  EXPECT_FALSE(handle.done());
  EXPECT_TRUE(handle.cancel());
  EXPECT_TRUE(handle.wait_for(1h));
  EXPECT_THROW(handle.get(), run_cancelled);
}

// Waiting here could only hang: the task would need this thread.
TEST(submit, blocking_on_ones_own_loop_is_refused) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<int> {
    auto handle = this_loop().submit(give(3));
    EXPECT_THROW((void)handle.get(), blocking_in_loop);
    EXPECT_THROW(handle.wait(), blocking_in_loop);
    EXPECT_THROW((void)handle.wait_for(1s), blocking_in_loop);
    const int value = co_await handle;
    co_return value;
  };
  EXPECT_EQ(r.run(main()), 3);
}

TEST(submit, before_a_run_waits_for_it_in_order) {
  virtual_clock time;
  runner r(on(time));
  event_loop& loop = r.loop();
  std::string order;
  auto note = [&](char what) -> task<> {
    order += what;
    co_return;
  };
  std::vector<join_handle<void>> handles;
  on_another_thread([&] {
    for (const char what : {'a', 'b', 'c'}) handles.push_back(loop.submit(note(what)));
  });
  EXPECT_EQ(order, "");
  r.run(yield());
  EXPECT_EQ(order, "abc");
  for (auto& each : handles) EXPECT_TRUE(each.done());
}

TEST(submit, a_task_cancelled_on_its_way_never_starts) {
  virtual_clock time;
  runner r(on(time));
  bool started = false;
  auto handle = r.loop().submit(hold(tracked(), started));
  EXPECT_TRUE(handle.cancel());
  r.run(yield());
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
  EXPECT_THROW(handle.get(), run_cancelled);
}

TEST(submit, a_close_ends_what_is_on_its_way) {
  virtual_clock time;
  runner r(on(time));
  bool started = false;
  event_loop& loop = r.loop();
  auto handle = loop.submit(hold(tracked(), started));
  r.close();
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
  EXPECT_THROW(handle.get(), run_cancelled);
  task<int> refused = give(1);
  EXPECT_THROW((void)loop.submit(std::move(refused)), loop_closed);
}

TEST(submit, of_an_empty_task_is_refused) {
  virtual_clock time;
  runner r(on(time));
  auto t = give(1);
  auto other = std::move(t);
  EXPECT_THROW((void)r.loop().submit(std::move(t)),
               invalid_task);  // NOLINT(bugprone-use-after-move)
}

TEST(submit, from_many_threads_loses_nothing) {
  loop_thread other;
  constexpr int threads = 4;
  constexpr int each = 200;
  std::atomic<long> sum{0};
  std::vector<std::thread> senders;
  for (int t = 0; t < threads; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < each; ++i) sum += other.loop().submit(give(i)).get();
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(sum.load(), threads * each * (each - 1) / 2);
}

}  // namespace
}  // namespace harrier::test
