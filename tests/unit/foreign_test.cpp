// SPDX-License-Identifier: Apache-2.0
// Between libraries: callbacks, std::future, other coroutine types, senders.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <coroutine>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace harrier::test {
namespace {

/// A coroutine of another library: starts at once, and destroys itself at its end.
class detached {
 public:
  class promise_type {
   public:
    promise_type() noexcept {}
    detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

/// Its executor: what is handed to it runs when the test says so, on the test's thread.
class executor {
 public:
  void add(std::coroutine_handle<> handle) {
    const std::lock_guard lock(mutex_);
    ready_.push_back(handle);
    added_.add();
  }
  void run(long count) {
    added_.wait_for(count);
    for (;;) {
      std::coroutine_handle<> next;
      {
        const std::lock_guard lock(mutex_);
        if (ready_.empty()) return;
        next = ready_.front();
        ready_.pop_front();
      }
      next.resume();
    }
  }

 private:
  std::mutex mutex_;
  std::deque<std::coroutine_handle<>> ready_;
  tally added_;
};

// --- from_callback

TEST(from_callback, resolved_at_once_does_not_suspend) {
  auto body = []() -> task<int> {
    auto start = [](auto resolve) { resolve(7); };
    auto op = from_callback<int>(start);
    co_return co_await op;
  };
  EXPECT_EQ(run(body()), 7);
}

TEST(from_callback, resolved_later_on_the_loop) {
  auto body = []() -> task<std::string> {
    auto start = [](auto resolve) { this_loop().call_soon([resolve] { resolve("later"); }); };
    auto op = from_callback<std::string>(start);
    co_return co_await op;
  };
  EXPECT_EQ(run(body()), "later");
}

TEST(from_callback, resolved_on_another_thread) {
  auto body = [](std::thread& other) -> task<std::unique_ptr<int>> {
    auto start = [&other](auto resolve) {
      other = std::thread([resolve] { resolve(std::make_unique<int>(3)); });
    };
    auto op = from_callback<std::unique_ptr<int>>(start);
    co_return co_await op;
  };
  std::thread other;
  EXPECT_EQ(*run(body(other)), 3);
  other.join();
}

TEST(from_callback, counts_once) {
  auto body = []() -> task<> {
    auto start = [](auto resolve) {
      EXPECT_TRUE(resolve());
      EXPECT_FALSE(resolve());
      EXPECT_FALSE(resolve.fail(std::make_exception_ptr(boom())));
    };
    auto op = from_callback<void>(start);
    co_await op;
  };
  run(body());
}

TEST(from_callback, errors_come_out_where_it_is_awaited) {
  auto failing = []() -> task<> {
    auto start = [](auto resolve) { resolve.fail(std::make_exception_ptr(boom())); };
    auto op = from_callback<int>(start);
    co_await op;
  };
  auto throwing = []() -> task<> {
    auto start = [](auto) { throw boom(); };
    auto op = from_callback<int>(start);
    co_await op;
  };
  EXPECT_THROW(run(failing()), boom);
  EXPECT_THROW(run(throwing()), boom);
}

TEST(from_callback, dropped_unused_is_a_broken_promise) {
  auto at_once = []() -> task<> {
    auto start = [](auto) {};
    auto op = from_callback<int>(start);
    co_await op;
  };
  auto later = []() -> task<> {
    auto start = [](auto resolve) { this_loop().call_soon([resolve] {}); };
    auto op = from_callback<int>(start);
    co_await op;
  };
  EXPECT_THROW(run(at_once()), broken_promise);
  EXPECT_THROW(run(later()), broken_promise);
}

TEST(from_callback, a_cancel_ends_the_wait_and_a_late_result_is_dropped) {
  static std::optional<resolver<tracked>> kept;
  auto wait = []() -> task<> {
    auto start = [](resolver<tracked> resolve) { kept.emplace(std::move(resolve)); };
    auto op = from_callback<tracked>(start);
    co_await op;
  };
  auto body = [wait]() -> task<> {
    auto waiting = spawn(wait());
    co_await yield();
    waiting.cancel();
    bool thrown = false;
    try {
      co_await waiting;
    } catch (const cancelled&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  };
  run(body());
  EXPECT_TRUE((*kept)(tracked()));
  kept.reset();
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(from_callback, many_at_once_on_workers) {
  runtime_options options;
  options.workers = 3;
  runtime pool(options);
  auto ask = [](int n) -> task<int> {
    auto start = [n](auto resolve) { this_loop().post([resolve, n] { resolve(n); }); };
    auto op = from_callback<int>(start);
    co_return co_await op;
  };
  auto batch = pool.dispatch(500, [ask](std::uint64_t n) { return ask(static_cast<int>(n)); });
  int expected = 0;
  for (const int n : batch.get()) {
    EXPECT_EQ(n, expected++);
  }
}

// --- from_future: test_wrap_future of asyncio

TEST(from_future, test_wrap_future) {
  runtime pool(2);
  std::promise<std::string> source;
  auto body = [](std::future<std::string> from,
                 std::promise<std::string>& set) -> task<std::string> {
    auto work = from_future(std::move(from));
    auto waiting = spawn(std::move(work));
    set.set_value("from another world");
    co_return co_await waiting;
  };
  auto from = source.get_future();
  EXPECT_EQ(pool.run(body(std::move(from), source)), "from another world");
}

TEST(from_future, ready_failed_deferred_and_shared_ones) {
  runtime pool(1);
  std::promise<int> ready;
  ready.set_value(1);
  EXPECT_EQ(pool.run(from_future(ready.get_future())), 1);
  std::promise<void> failed;
  failed.set_exception(std::make_exception_ptr(boom()));
  EXPECT_THROW(pool.run(from_future(failed.get_future())), boom);
  EXPECT_EQ(pool.run(from_future(std::async(std::launch::deferred, [] { return 4; }))), 4);
  std::promise<int> shared;
  const std::shared_future<int> both = shared.get_future().share();
  shared.set_value(5);
  EXPECT_EQ(pool.run(from_future(both)), 5);
  EXPECT_EQ(pool.run(from_future(both)), 5);
}

// --- as_foreign

TEST(as_foreign, a_task_runs_on_our_loop_and_the_coroutine_goes_on_at_its_executor) {
  static int got;
  static bool on_our_loop;
  got = 0;
  executor theirs;
  runtime ours(1);
  auto work = []() -> task<int> {
    co_await yield();
    co_return 5;
  };
  auto foreign = [work](runtime& host, executor& mine) -> detached {
    auto back = [&mine](std::coroutine_handle<> handle) { mine.add(handle); };
    auto op = as_foreign(host, work(), back);
    got = co_await op;
    on_our_loop = detail::here() != nullptr;
  };
  foreign(ours, theirs);
  theirs.run(1);
  EXPECT_EQ(got, 5);
  EXPECT_FALSE(on_our_loop);
}

TEST(as_foreign, errors_and_handles_and_sleeps) {
  static int got;
  got = 0;
  auto foreign = [](event_loop& loop, join_handle<int> handle) -> detached {
    auto nap = as_foreign(loop, sleep_for(5ms));
    co_await nap;
    auto joined = as_foreign(loop, std::move(handle));
    got += co_await joined;
    auto failing = as_foreign(loop, throw_boom());
    try {
      co_await failing;
    } catch (const boom&) {
      got += 100;
    }
  };
  virtual_clock time;
  runner loop(on(time));
  auto handle = loop.loop().spawn(sleep_then(1ms, 7));
  foreign(loop.loop(), std::move(handle));
  EXPECT_EQ(got, 0);
  auto wait = []() -> task<> { co_await sleep_for(1s); };
  loop.run(wait());
  EXPECT_EQ(got, 107);
}

TEST(as_foreign, a_loop_that_closes_or_has_closed_gives_an_error) {
  static std::string seen;
  seen.clear();
  auto foreign = [](event_loop& loop) -> detached {
    auto waits = as_foreign(loop, sleep_for(1h));
    try {
      co_await waits;
    } catch (const cancelled&) {
      seen += "cancelled,";
    } catch (const loop_closed&) {
      seen += "closed,";
    }
  };
  virtual_clock time;
  runner loop(on(time));
  event_loop& ours = loop.loop();
  foreign(ours);
  auto turn = []() -> task<> { co_await yield(); };
  loop.run(turn());
  loop.close();
  EXPECT_EQ(seen, "cancelled,");
  foreign(ours);
  EXPECT_EQ(seen, "cancelled,closed,");
}

TEST(as_foreign, a_thousand_in_turn_need_no_stack) {
  static int got;
  got = 0;
  auto foreign = [](event_loop& loop) -> detached {
    for (int n = 0; n < 1000; ++n) {
      auto op = as_foreign(loop, give(1));
      got += co_await op;
    }
  };
  runner loop;
  foreign(loop.loop());
  auto wait = []() -> task<> {
    while (got < 1000) {
      co_await yield();
    }
  };
  loop.run(wait());
  EXPECT_EQ(got, 1000);
}

// --- senders

/// Notes how it was completed.
class noting_receiver {
 public:
  explicit noting_receiver(std::string& note) noexcept : note_(&note) {}
  void set_value() && noexcept { *note_ += "value,"; }
  void set_value(int value) && noexcept { *note_ += std::to_string(value) + ","; }
  void set_error(std::exception_ptr error) && noexcept { *note_ += text_of(error) + ","; }
  void set_stopped() && noexcept { *note_ += "stopped,"; }

 private:
  std::string* note_;
};

TEST(sender, schedule_completes_on_the_loop) {
  runner loop;
  const scheduler sched(loop.loop());
  EXPECT_TRUE(sched == scheduler(loop.loop()));
  std::string note;
  auto operation = sched.schedule().connect(noting_receiver(note));
  operation.start();
  EXPECT_EQ(note, "");
  auto turn = []() -> task<> { co_await yield(); };
  loop.run(turn());
  EXPECT_EQ(note, "value,");
  auto stopped = sched.schedule().connect(noting_receiver(note));
  stopped.start();
  loop.close();
  auto refused = sched.schedule().connect(noting_receiver(note));
  refused.start();
  EXPECT_EQ(note, "value,stopped,stopped,");
}

TEST(sender, a_task_completes_a_receiver_in_each_way) {
  virtual_clock time;
  runner loop(on(time));
  std::string note;
  auto good = as_sender(loop.loop(), give(4)).connect(noting_receiver(note));
  good.start();
  auto bad = as_sender(loop.loop(), throw_boom()).connect(noting_receiver(note));
  bad.start();
  auto wait = []() -> task<> { co_await sleep_for(1ms); };
  loop.run(wait());
  EXPECT_EQ(note, "4,boom,");
  auto waits = as_sender(loop.loop(), sleep_for(1h)).connect(noting_receiver(note));
  waits.start();
  loop.run(wait());
  loop.close();
  EXPECT_EQ(note, "4,boom,stopped,");
}

TEST(sender, awaited_by_a_coroutine_of_ours) {
  auto body = []() -> task<int> {
    const scheduler sched(this_loop());
    auto hop = from_sender<void>(sched.schedule());
    co_await hop;
    auto value = from_sender<int>(as_sender(this_loop(), give(6)));
    const int six = co_await value;
    auto failing = from_sender<int>(as_sender(this_loop(), throw_boom()));
    try {
      co_await failing;
    } catch (const boom&) {
      co_return six;
    }
    co_return 0;
  };
  EXPECT_EQ(run(body()), 6);
}

}  // namespace
}  // namespace harrier::test
