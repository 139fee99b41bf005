// SPDX-License-Identifier: Apache-2.0
// Async generators and channels as the input of a batch: awaited as far as there is room, and joined.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>

namespace harrier::test {
namespace {

async_generator<int> numbers(int end) {
  for (int i = 0; i < end; ++i) {
    if (i % 5 == 0) co_await yield();
    co_yield i;
  }
}

async_generator<int> endless(std::atomic<int>& given, tracked /*held*/ = {}) {
  for (int i = 0;; ++i) {
    ++given;
    co_yield i;
  }
}

task<int> negative(int i) {
  if (i % 2 == 0) co_await yield();
  co_return -i;
}

TEST(batch_awaited_input, of_a_generator_is_collected_in_its_order) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto b = rt.dispatch(numbers(1000), negative);
    const auto results = b.get();
    ASSERT_EQ(results.size(), 1000u);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)], -i);
    EXPECT_EQ(b.counts().total, 1000u);
  }
}

TEST(batch_awaited_input, of_nothing_ends_at_once) {
  runtime rt(std::size_t{2});
  EXPECT_TRUE(rt.dispatch(numbers(0), negative).get().empty());
}

TEST(batch_awaited_input, is_asked_only_for_items_that_may_start) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{3}}) {
    runtime rt(workers);
    std::atomic<int> given{0};
    gate g;
    auto body = [&](int i) -> task<int> {
      co_await g.wait();
      co_return i;
    };
    auto stream = rt.stream(endless(given), body, dispatch_options().with_window(5));
    while (g.arrivals() < 5) std::this_thread::yield();
    for (int i = 0; i < 50; ++i) rt.run(give(i));
    EXPECT_EQ(given.load(), 5);
    g.open();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream.wait_next().has_value());
    EXPECT_LE(given.load(), 105);
  }
}

// An element starts its item as soon as it is there, whatever else was asked for.
TEST(batch_awaited_input, element_does_not_wait_for_the_next) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  auto slow = []() -> async_generator<int> {
    for (int i = 0; i < 5; ++i) {
      co_await sleep_for(1s);
      co_yield i;
    }
  };
  const time_point start = time.now();
  auto when = [&time, start](int) -> task<duration> { co_return time.now() - start; };
  auto b = rt.dispatch(slow(), when);
  const auto times = b.get();
  ASSERT_EQ(times.size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(times[static_cast<std::size_t>(i)], (i + 1) * 1s);
}

TEST(batch_awaited_input, that_throws_is_reported_with_its_position) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto failing = []() -> async_generator<int> {
      for (int i = 0; i < 17; ++i) co_yield i;
      throw boom("no more input");
    };
    std::atomic<int> ended{0};
    auto body = [&](int i) -> task<int> {
      co_await yield();
      ++ended;
      co_return i;
    };
    auto b = rt.for_each(failing(), body, dispatch_options().on_error(collect_all));
    try {
      b.get();
      FAIL() << "no error";
    } catch (const batch_input_failed& e) {
      EXPECT_EQ(e.position(), 17u);
      EXPECT_THROW(e.rethrow_nested(), boom);
    }
    EXPECT_EQ(ended.load(), 17);  // what had started has ended
  }
}

// The batch is cancelled by its own input, so that what was brought by then is never pulled.
TEST(batch_awaited_input, that_throws_after_the_end_of_the_batch_is_reported_with_its_position) {
  runtime rt(std::size_t{1});
  auto main = [&]() -> task<std::uint64_t> {
    std::optional<batch<void>> b;
    auto failing = [](std::optional<batch<void>>& of) -> async_generator<int> {
      for (int i = 0; i < 4; ++i) co_yield i;
      of->drop_unstarted();
      throw boom("no more input");
    };
    auto discard = [](int i) -> task<> { co_await negative(i); };
    b.emplace(rt.for_each(failing(b), discard));
    try {
      co_await *b;
    } catch (const batch_input_failed& e) {
      co_return e.position();
    }
    co_return 0;
  };
  EXPECT_EQ(rt.run(main()), 4u);
}

TEST(batch_awaited_input, gives_elements_that_only_move_and_copies_of_references) {
  runtime rt(std::size_t{2});
  auto boxes = []() -> async_generator<std::unique_ptr<int>> {
    for (int i = 0; i < 100; ++i) co_yield std::make_unique<int>(i);
  };
  auto open = [](std::unique_ptr<int> box) -> task<int> { co_return *box; };
  auto opened = rt.dispatch(boxes(), open);
  const auto results = opened.get();
  EXPECT_EQ(std::accumulate(results.begin(), results.end(), 0), 4950);
  auto same = []() -> async_generator<std::string&> {
    std::string text;
    for (int i = 0; i < 10; ++i) {
      text += 'x';
      co_yield text;
    }
  };
  auto measure = [](std::string text) -> task<std::size_t> { co_return text.size(); };
  auto sum = rt.reduce(same(), measure, reduction(std::size_t{0}, std::plus<>()));
  EXPECT_EQ(sum.get(), 55u);
}

TEST(batch_awaited_input, that_is_endless_ends_with_the_batch) {
  runtime rt(std::size_t{2});
  std::atomic<int> given{0};
  {
    auto stream = rt.stream(endless(given), negative, dispatch_options().with_window(10));
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream.wait_next().has_value());
    stream.drop_unstarted();
    while (stream.wait_next()) {
    }
    EXPECT_EQ(tracked::alive(), 0);  // the generator has gone before the end
  }
  auto body = [](int i) -> task<int> {
    if (i == 40) throw boom("forty");
    co_return i;
  };
  auto failing = rt.for_each(endless(given), body);
  EXPECT_THROW(failing.get(), boom);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(batch_awaited_input, that_waits_is_cancelled_with_the_batch) {
  runtime rt(std::size_t{2});
  std::atomic<bool> saw_cancel{false};
  tally waiting;
  auto stuck = [&]() -> async_generator<int> {
    co_yield 1;
    waiting.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {
      saw_cancel = true;
      throw;
    }
  };
  auto b = rt.for_each(stuck(), negative);
  waiting.wait_for(1);
  b.cancel();
  EXPECT_THROW(b.get(), run_cancelled);
  EXPECT_TRUE(saw_cancel.load());
}

TEST(batch_awaited_input, that_goes_on_after_a_cancel_is_closed) {
  runtime rt(std::size_t{2});
  tally waiting;
  bool was_closed = false;
  auto stubborn = [&]() -> async_generator<int> {
    waiting.add();
    try {
      co_await sleep_for(24h);
    } catch (const cancelled&) {  // not its own business, it thinks
    }
    try {
      for (int i = 0;; ++i) co_yield i;
    } catch (const generator_exit&) {
      was_closed = true;
    }
  };
  auto b = rt.for_each(stubborn(), negative);
  waiting.wait_for(1);
  b.cancel();
  b.wait();
  EXPECT_TRUE(was_closed);
}

// Where only one worker could do it, nothing of the source has run by then.
TEST(batch_awaited_input, of_a_batch_that_is_cancelled_at_once_never_runs) {
  runtime rt(std::size_t{1});
  std::atomic<int> given{0};
  auto work = [&]() -> task<> {
    auto b = rt.for_each(endless(given), negative);
    b.cancel();
    co_await b;
  };
  EXPECT_THROW(rt.run(work()), run_cancelled);
  EXPECT_EQ(given.load(), 0);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(batch_awaited_input, cleans_up_before_the_end_and_what_that_throws_is_told) {
  runtime rt(std::size_t{2});
  auto unclean = [](bool throws) -> async_generator<int> {
    bool is_closed = false;
    for (int i = 0; !is_closed; ++i) {
      try {
        co_yield i;
      } catch (const generator_exit&) {
        is_closed = true;
      }
    }
    co_await yield();
    if (throws) throw boom("cleanup");
  };
  for (const bool throws : {false, true}) {
    auto stream = rt.stream(unclean(throws), negative, dispatch_options().with_window(4));
    EXPECT_TRUE(stream.wait_next().has_value());
    stream.drop_unstarted();
    auto read_all = [&] {
      while (stream.wait_next()) {
      }
    };
    if (throws) {
      EXPECT_THROW(read_all(), batch_input_failed);
    } else {
      EXPECT_NO_THROW(read_all());
    }
  }
}

// The batch is dropped while its input runs, whose cleanup then waits: that is not cancelled.
TEST(batch_awaited_input, cleanup_is_not_cancelled_with_the_batch) {
  runtime rt(std::size_t{1});
  batch_stream<int>* handle = nullptr;
  bool is_clean = false;
  auto dropping = [&]() -> async_generator<int> {
    try {
      for (int i = 0;; ++i) {
        if (i == 3) handle->drop_unstarted();
        co_yield i;
      }
    } catch (const generator_exit&) {  // the cleanup follows
    }
    co_await yield();
    is_clean = true;
  };
  auto work = [&]() -> task<> {
    auto stream = rt.stream(dropping(), negative, dispatch_options().with_window(8));
    handle = &stream;
    for (;;) {
      auto next = stream.next();
      auto item = co_await next;
      if (!item) break;
    }
  };
  rt.run(work());
  EXPECT_TRUE(is_clean);
}

TEST(batch_awaited_input, of_a_refused_batch_is_destroyed) {
  runtime rt(std::size_t{1});
  rt.stop();
  std::atomic<int> given{0};
  EXPECT_THROW((void)rt.for_each(endless(given), negative), runtime_stopped);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(batch_awaited_input, of_a_channel_lasts_until_it_is_closed) {
  for (const std::ptrdiff_t capacity : {std::ptrdiff_t{0}, std::ptrdiff_t{3}, unbounded}) {
    runtime rt(std::size_t{3});
    channel<int> c(capacity);
    auto send = [&](int first) -> task<> {
      for (int i = first; i < 200; i += 2) co_await c.send(i);
    };
    auto sum = rt.reduce(c, negative, reduction(0, std::plus<>()),
                         dispatch_options().with_window(7).with_retry(retry_policy()));
    auto even = rt.spawn(send(0));
    auto odd = rt.spawn(send(1));
    even.get();
    odd.get();
    c.close();
    EXPECT_EQ(sum.get(), -19900);
  }
}

TEST(batch_awaited_input, leaves_in_the_channel_what_has_no_room) {
  runtime rt(std::size_t{2});
  channel<int> c(unbounded);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(c.try_send(int{i}));
  gate g;
  auto body = [&](int) -> task<> { co_await g.wait(); };
  auto b = rt.for_each(c, body, dispatch_options().with_window(5));
  while (g.arrivals() < 5) std::this_thread::yield();
  for (int i = 0; i < 50; ++i) rt.run(give(i));
  EXPECT_EQ(c.size(), 95u);
  b.drop_unstarted();
  g.open();
  b.wait();
  EXPECT_EQ(b.counts().completed, 5u);
  EXPECT_EQ(c.size(), 95u);
}

TEST(batch_awaited_input, of_a_channel_feeds_a_pipeline) {
  runtime rt(std::size_t{2});
  channel<int> c(2);
  auto send = [&]() -> task<> {
    for (int i = 0; i < 100; ++i) co_await c.send(i);
    c.close();
  };
  auto sender = rt.spawn(send());
  auto sums = rt.stream(c, negative, dispatch_options().with_window(4)) | then(negative);
  int sum = 0;
  while (auto item = sums.wait_next()) sum += item->value;
  EXPECT_EQ(sum, 4950);
  sender.get();
}

TEST(batch_awaited_input, ends_with_the_runtime) {
  channel<int> c(0);
  std::optional<batch<void>> left;
  auto ignore = [](int) -> task<> { co_return; };
  {
    runtime rt(std::size_t{2});
    left = rt.for_each(c, ignore);
    rt.run(give(1));
  }
  EXPECT_THROW(left->get(), run_cancelled);
}

}  // namespace
}  // namespace harrier::test
