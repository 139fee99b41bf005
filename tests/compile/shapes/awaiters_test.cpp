// SPDX-License-Identifier: Apache-2.0
// Awaiters: none of ours is an aggregate, ours and others' work as named and as temporary.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <coroutine>
#include <string>
#include <type_traits>

namespace harrier::test {
namespace {

static_assert(!std::is_aggregate_v<decltype(sleep_for(1ms))>);
static_assert(!std::is_aggregate_v<decltype(sleep_until(time_point{}))>);
static_assert(!std::is_aggregate_v<decltype(yield())>);
static_assert(!std::is_aggregate_v<decltype(std::declval<task<int>&>().operator co_await())>);
static_assert(
    !std::is_aggregate_v<decltype(std::declval<join_handle<int>&>().operator co_await())>);
static_assert(!std::is_aggregate_v<task<int>>);
static_assert(!std::is_aggregate_v<join_handle<int>>);
static_assert(!std::is_aggregate_v<batch<int>>);
static_assert(!std::is_aggregate_v<item_error>);
static_assert(!std::is_aggregate_v<error_report>);
static_assert(!std::is_aggregate_v<dispatch_options>);
static_assert(!std::is_aggregate_v<runner_options>);
static_assert(!std::is_aggregate_v<runtime_options>);

// Another library's awaitable with an owning member; it has a constructor, so it is no aggregate.
class owning_awaitable {
 public:
  explicit owning_awaitable(std::string text, bool ready) : text_(std::move(text)), ready_(ready) {}
  bool await_ready() const noexcept { return ready_; }
  void await_suspend(std::coroutine_handle<> h) {
    this_loop().post([h] { h.resume(); });
  }
  std::string await_resume() { return std::move(text_); }

 private:
  std::string text_;
  bool ready_;
  tracked life_;
};

// One that returns its awaiter from operator co_await.
class indirect {
 public:
  explicit indirect(std::string text) : text_(std::move(text)) {}
  owning_awaitable operator co_await() const& { return owning_awaitable(text_, false); }
  owning_awaitable operator co_await() && { return owning_awaitable(std::move(text_), false); }

 private:
  std::string text_;
};

const std::string long_text = "a text that is too long for the small string buffer";

TEST(shapes_awaiters, ours_named_and_temporary) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    co_await yield();
    auto y = yield();
    co_await y;
    co_await sleep_for(1ms);
    auto s = sleep_for(1ms);
    co_await s;
    co_await sleep_until(time_point{} + 3ms);
    auto u = sleep_until(time_point{} + 4ms);
    co_await u;
  };
  r.run(main());
  EXPECT_EQ(time.now(), time_point{} + 4ms);
}

TEST(shapes_awaiters, foreign_named_and_temporary) {
  auto main = [](bool ready) -> task<> {
    owning_awaitable named(long_text, ready);
    const std::string a = co_await named;
    EXPECT_EQ(a, long_text);
    const std::string b = co_await owning_awaitable(long_text, ready);
    EXPECT_EQ(b, long_text);
  };
  run(main(true));
  run(main(false));
}

TEST(shapes_awaiters, foreign_with_operator_co_await) {
  auto main = []() -> task<> {
    const indirect named(long_text);
    const std::string a = co_await named;
    EXPECT_EQ(a, long_text);
    const std::string b = co_await indirect(long_text);
    EXPECT_EQ(b, long_text);
  };
  run(main());
}

TEST(shapes_awaiters, foreign_that_throws_on_each_step) {
  class throwing {
   public:
    explicit throwing(int step) : step_(step) {}
    bool await_ready() const {
      if (step_ == 0) throw boom("ready");
      return false;
    }
    bool await_suspend(std::coroutine_handle<> /*h*/) const {
      if (step_ == 1) throw boom("suspend");
      return false;
    }
    int await_resume() const {
      if (step_ == 2) throw boom("resume");
      return 5;
    }

   private:
    int step_;
    tracked life_;
  };
  auto main = [](int step) -> task<int> {
    throwing op(step);
    const int value = co_await op;
    co_return value;
  };
  for (int step = 0; step < 3; ++step) EXPECT_THROW(run(main(step)), boom);
  EXPECT_EQ(run(main(3)), 5);
}

TEST(shapes_awaiters, foreign_resumed_on_another_thread_comes_back_to_its_loop) {
  class elsewhere {
   public:
    explicit elsewhere(std::thread& thread) : thread_(&thread) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      *thread_ = std::thread([h] { h.resume(); });
    }
    void await_resume() const noexcept {}

   private:
    std::thread* thread_;
  };
  auto main = []() -> task<> {
    const std::thread::id before = std::this_thread::get_id();
    event_loop* const loop = &this_loop();
    std::thread thread;
    elsewhere op(thread);
    co_await op;
    thread.join();
    EXPECT_EQ(std::this_thread::get_id(), before);
    EXPECT_EQ(&this_loop(), loop);
  };
  run(main());
}

// Another library's coroutine type may await our task.
class eager {
 public:
  class promise_type {
   public:
    promise_type() noexcept {}
    eager get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

TEST(shapes_awaiters, a_foreign_coroutine_awaits_a_task) {
  int result = 0;
  auto foreign = [](int& out) -> eager {
    auto t = give(8);
    out = co_await t;
  };
  auto main = [&]() -> task<> {
    foreign(result);
    co_return;
  };
  run(main());
  EXPECT_EQ(result, 8);
}

TEST(shapes_awaiters, a_foreign_coroutine_awaits_a_task_that_suspends) {
  int result = 0;
  gate done;
  auto foreign = [](int& out, gate& over) -> eager {
    auto t = sleep_then(1ms, 9);
    out = co_await t;
    over.open();
  };
  virtual_clock time;
  runner r(on(time));
  auto main = [&]() -> task<> {
    foreign(result, done);
    co_await done.wait();
  };
  r.run(main());
  EXPECT_EQ(result, 9);
}

}  // namespace
}  // namespace harrier::test
