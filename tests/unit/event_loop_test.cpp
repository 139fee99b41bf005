// SPDX-License-Identifier: Apache-2.0
// event_loop: order of the ready queue, post() from any thread, what a closed loop refuses. Rules
// L1-L11 of docs/asyncio.md.
#include "support.hpp"

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <tuple>

namespace harrier::test {
namespace {

// L1
TEST(event_loop, call_soon_is_first_in_first_out_and_calls_once) {
  virtual_clock time;
  runner r(on(time));
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) {
    r.loop().call_soon([&order, i] { order.push_back(i); });
  }
  r.run(yield());
  r.run(yield());
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

// L2
TEST(event_loop, what_is_queued_during_a_turn_runs_in_the_next) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  r.loop().call_soon([&] {
    order += 'a';
    r.loop().call_soon([&] { order += 'c'; });
  });
  r.loop().call_soon([&] { order += 'b'; });
  r.run(sleep_for(1ms));
  EXPECT_EQ(order, "abc");
}

// L2: a callback that queues itself again starves neither timers nor posts.
TEST(event_loop, self_requeueing_callback_does_not_starve_timers) {
  virtual_clock time;
  runner r(on(time));
  bool stop = false;
  long turns = 0;
  std::function<void()> again = [&] {
    ++turns;
    time.advance(1us);
    if (!stop) r.loop().call_soon(again);
  };
  r.loop().call_soon(again);
  r.run(sleep_for(1ms));
  stop = true;
  EXPECT_GE(turns, 900);
  EXPECT_LE(turns, 1100);
  r.run(yield());
}

// L2: the same for a task that only yields.
TEST(event_loop, endless_yielder_does_not_starve_timers) {
  virtual_clock time;
  runner r(on(time));
  auto yielder = [&]() -> task<> {
    for (;;) {
      time.advance(1us);
      co_await yield();
    }
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(yielder());
    co_await sleep_for(1ms);
    handle.cancel();
  };
  r.run(main());
  EXPECT_GE(time.now().time_since_epoch(), 1ms);
  EXPECT_LE(time.now().time_since_epoch(), 2ms);
}

// L9
TEST(event_loop, post_keeps_the_order_of_each_thread) {
  runner r;
  event_loop& loop = r.loop();
  constexpr std::size_t threads = 4;
  constexpr std::size_t posts = 25'000;
  std::array<std::vector<std::size_t>, threads> seen;
  gate done;
  std::size_t left = threads * posts;
  std::vector<std::thread> posters;
  for (std::size_t t = 0; t < threads; ++t) {
    posters.emplace_back([&, t] {
      for (std::size_t i = 0; i < posts; ++i) {
        loop.post([&, t, i] {
          seen[t].push_back(i);
          if (--left == 0) done.open();
        });
      }
    });
  }
  r.run(done.wait());
  for (std::thread& t : posters) t.join();
  for (const auto& order : seen) {
    ASSERT_EQ(order.size(), posts);
    for (std::size_t i = 0; i < posts; ++i) ASSERT_EQ(order[i], i);
  }
}

// L9: each post wakes a loop that sleeps: a ball goes to and fro between two loops.
TEST(event_loop, post_wakes_a_sleeping_loop) {
  runner left;
  runner right;
  event_loop& left_loop = left.loop();
  event_loop& right_loop = right.loop();
  gate left_done;
  gate right_done;
  constexpr int rounds = 20'000;
  int ball = 0;  // handed over by post(), so never touched by two threads at once
  std::function<void()> to_left;
  std::function<void()> to_right = [&] {
    ++ball;
    if (ball >= rounds) {
      right_done.open();
      left_loop.post([&] { left_done.open(); });
    } else {
      left_loop.post(to_left);
    }
  };
  to_left = [&] {
    ++ball;
    right_loop.post(to_right);
  };
  std::thread thread([&] { right.run(right_done.wait()); });
  left_loop.post(to_left);
  left.run(left_done.wait());
  thread.join();
  EXPECT_GE(ball, rounds);
}

// L9
TEST(event_loop, post_before_the_run_is_kept) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  r.loop().post([&] { order += 'a'; });
  r.loop().post([&] { order += 'b'; });
  r.run(yield());
  EXPECT_EQ(order, "ab");
}

// L9: a post that runs and a task that yields share the loop fairly.
TEST(event_loop, post_from_a_callback_runs_in_a_later_turn) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  r.loop().post([&] {
    order += 'a';
    r.loop().post([&] { order += 'b'; });
  });
  r.run(sleep_for(1ms));
  EXPECT_EQ(order, "ab");
}

// L10: ending a task resumes its awaiter through the queue, after what was ready before.
TEST(event_loop, awaiter_of_a_spawned_task_is_queued_not_resumed_inline) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto child = [&]() -> task<> {
    this_loop().call_soon([&] { order += 'b'; });
    order += 'a';
    co_return;
  };
  auto main = [&]() -> task<> {
    auto handle = spawn(child());
    co_await handle;
    order += 'c';
  };
  r.run(main());
  EXPECT_EQ(order, "abc");
}

// R89
TEST(event_loop, throwing_callback_is_reported_and_the_loop_goes_on) {
  virtual_clock time;
  error_log log;
  runner_options options = on(time);
  options.exception_handler = std::ref(log);
  runner r(options);
  bool next_ran = false;
  r.loop().call_soon([] { throw boom("callback"); });
  r.loop().call_soon([&] { next_ran = true; });
  r.loop().post([] { throw boom("post"); });
  r.run(sleep_for(1ms));
  EXPECT_TRUE(next_ran);
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(text_of(log.at(0).error), "callback");
  EXPECT_EQ(text_of(log.at(1).error), "post");
}

TEST(event_loop, callback_is_destroyed_after_it_ran) {
  virtual_clock time;
  runner r(on(time));
  auto guard = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = guard;
  r.loop().call_soon([guard = std::move(guard)] {});
  r.run(yield());
  EXPECT_TRUE(watch.expired());
}

TEST(event_loop, counts_its_live_tasks) {
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    const std::size_t before = this_loop().live_tasks();
    auto a = spawn(sleep_then(1ms, 1));
    auto b = spawn(sleep_then(2ms, 2));
    EXPECT_EQ(this_loop().live_tasks(), before + 2);
    co_await a;
    EXPECT_EQ(this_loop().live_tasks(), before + 1);
    co_await b;
    EXPECT_EQ(this_loop().live_tasks(), before);
  };
  r.run(main());
  EXPECT_EQ(r.loop().live_tasks(), 0u);
}

TEST(event_loop, a_hundred_thousand_callbacks_in_one_turn) {
  virtual_clock time;
  runner r(on(time));
  long sum = 0;
  for (long i = 0; i < 100'000; ++i) {
    r.loop().call_soon([&sum, i] { sum += i; });
  }
  r.run(yield());
  EXPECT_EQ(sum, 99'999L * 100'000 / 2);
}

// What is posted may end all that the loop is there for, and the poster is still waking it up. The
// waker here takes its time: it is in the middle of the wake when the loop is destroyed.
TEST(event_loop, outlives_a_thread_that_is_still_inside_a_post) {
  class slow_waker : public detail::parker::summons {
   public:
    slow_waker() : summons(called) {}
    std::latch inside{1};
    std::atomic<bool> is_loop_gone{false};
    bool loop_went_first = false;

   private:
    static void called(detail::parker::summons& self) noexcept {
      auto& mine = static_cast<slow_waker&>(self);
      mine.inside.count_down();
      for (int turn = 0; turn < 1000; ++turn) std::this_thread::yield();
      mine.loop_went_first = mine.is_loop_gone.load();
    }
  };
  slow_waker waker;
  auto r = std::make_unique<runner>();
  event_loop& loop = r->loop();
  loop.parker().redirect(waker);
  std::ignore = loop.parker().announce();  // as a sleeper does
  std::thread poster([&] { loop.post([] {}); });
  waker.inside.wait();
  r.reset();
  waker.is_loop_gone = true;
  poster.join();
  EXPECT_FALSE(waker.loop_went_first);
}

}  // namespace
}  // namespace harrier::test
