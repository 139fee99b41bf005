// SPDX-License-Identifier: Apache-2.0
// dispatch() and batch<T>: results in the order of the items, however they are given and awaited.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <array>
#include <list>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>

namespace harrier::test {
namespace {

static_assert(!std::is_copy_constructible_v<batch<int>>);
static_assert(std::is_nothrow_move_constructible_v<batch<int>>);
static_assert(std::is_same_v<decltype(std::declval<batch<int>&>().get()), std::span<int>>);
static_assert(std::is_void_v<decltype(std::declval<batch<void>&>().get())>);

task<std::uint64_t> square(std::uint64_t i) { co_return i* i; }

task<std::uint64_t> square_after_yields(std::uint64_t i) {
  for (std::uint64_t k = 0; k < i % 3; ++k) co_await yield();
  co_return i* i;
}

TEST(batch, of_a_count_and_a_factory_gives_results_in_order) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(10'000, square);
  const std::span<std::uint64_t> results = b.get();
  ASSERT_EQ(results.size(), 10'000u);
  for (std::uint64_t i = 0; i < results.size(); ++i) ASSERT_EQ(results[i], i * i);
  EXPECT_EQ(b.size(), 10'000u);
  EXPECT_TRUE(b.done());
}

TEST(batch, results_are_in_order_whatever_the_order_of_completion) {
  runtime rt(std::size_t{4});
  auto b = rt.dispatch(10'000, square_after_yields);
  const auto results = b.get();
  for (std::uint64_t i = 0; i < results.size(); ++i) ASSERT_EQ(results[i], i * i);
}

TEST(batch, of_a_range_and_a_factory) {
  runtime rt(std::size_t{2});
  const std::vector<std::string> words{"a", "bb", "", "dddd"};
  auto length = [](const std::string& word) -> task<std::size_t> { co_return word.size(); };
  auto b = rt.dispatch(words, length);
  const auto results = b.get();
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0], 1u);
  EXPECT_EQ(results[1], 2u);
  EXPECT_EQ(results[2], 0u);
  EXPECT_EQ(results[3], 4u);
}

TEST(batch, of_a_range_passes_the_elements_themselves) {
  runtime rt(std::size_t{2});
  std::vector<int> numbers(1000, 1);
  auto bump = [](int& number) -> task<> {
    number += 1;
    co_return;
  };
  rt.dispatch(numbers, bump).get();
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 2000);
}

TEST(batch, of_a_temporary_range_keeps_it) {
  runtime rt(std::size_t{2});
  auto length = [](const std::string& word) -> task<std::size_t> {
    co_await yield();
    co_return word.size();
  };
  auto words = [] {
    return std::vector<std::string>(100, "a text that is too long for a small string buffer");
  };
  auto b = rt.dispatch(words(), length);
  for (const std::size_t n : b.get()) EXPECT_EQ(n, words()[0].size());
}

TEST(batch, of_given_tasks) {
  runtime rt(std::size_t{2});
  std::vector<task<int>> tasks;
  for (int i = 0; i < 1000; ++i) tasks.push_back(give(i));
  auto b = rt.dispatch(std::move(tasks));
  const auto results = b.get();
  ASSERT_EQ(results.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)], i);
}

TEST(batch, of_given_tasks_with_an_empty_one_starts_nothing) {
  runtime rt(std::size_t{2});
  std::vector<task<int>> tasks;
  tasks.push_back(give(0));
  tasks.push_back(give(1));
  const task<int> taken = std::move(tasks[1]);
  EXPECT_THROW((void)rt.dispatch(std::move(tasks)), invalid_task);
}

TEST(batch, of_void_tasks) {
  runtime rt(std::size_t{2});
  std::atomic<int> ran{0};
  auto body = [&](std::uint64_t) -> task<> {
    ran.fetch_add(1);
    co_return;
  };
  auto b = rt.dispatch(1000, body);
  b.get();
  EXPECT_EQ(ran.load(), 1000);
  EXPECT_EQ(b.counts().completed, 1000u);
}

TEST(batch, of_move_only_results) {
  runtime rt(std::size_t{2});
  auto make = [](std::uint64_t i) -> task<std::unique_ptr<std::uint64_t>> {
    co_return std::make_unique<std::uint64_t>(i);
  };
  auto b = rt.dispatch(1000, make);
  auto results = b.get();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_NE(results[i], nullptr);
    ASSERT_EQ(*results[i], i);
  }
  const std::unique_ptr<std::uint64_t> mine = std::move(results[7]);
  EXPECT_EQ(*mine, 7u);
}

TEST(batch, of_results_without_a_default_constructor) {
  class odd {
   public:
    explicit odd(std::uint64_t v) : value(v) {}
    odd(odd&&) = default;
    odd& operator=(odd&&) = delete;
    std::uint64_t value;
    tracked life;
  };
  {
    runtime rt(std::size_t{2});
    auto make = [](std::uint64_t i) -> task<odd> { co_return odd(i); };
    auto b = rt.dispatch(100, make);
    EXPECT_EQ(b.get()[99].value, 99u);
  }
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(batch, of_bools_gives_real_bools) {
  runtime rt(std::size_t{2});
  auto odd = [](std::uint64_t i) -> task<bool> { co_return i % 2 == 1; };
  auto b = rt.dispatch(1000, odd);
  const std::span<bool> results = b.get();
  for (std::uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(results[i], i % 2 == 1);
}

TEST(batch, of_nothing_is_done_at_once) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(0, square);
  EXPECT_TRUE(b.done());
  b.wait();
  EXPECT_TRUE(b.get().empty());
  EXPECT_EQ(b.size(), 0u);
  auto of_range = rt.dispatch(std::vector<std::uint64_t>(), square);
  EXPECT_TRUE(of_range.get().empty());
  auto of_tasks = rt.dispatch(std::vector<task<int>>());
  EXPECT_TRUE(of_tasks.get().empty());
  auto main = [&]() -> task<std::size_t> {
    auto inner = rt.dispatch(0, square);
    const auto results = co_await inner;
    co_return results.size();
  };
  EXPECT_EQ(rt.run(main()), 0u);
}

TEST(batch, of_nothing_starts_no_thread) {
  runtime rt(std::size_t{2});
  rt.dispatch(0, square).wait();
  EXPECT_EQ(rt.metrics().threads_started, 0u);
}

TEST(batch, of_one) {
  runtime rt(std::size_t{2});
  EXPECT_EQ(rt.dispatch(1, square).get().size(), 1u);
}

TEST(batch, of_a_million) {
  runtime rt(std::size_t{2});
  constexpr std::uint64_t n = 1'000'000;
  auto b = rt.dispatch(n, [](std::uint64_t i) -> task<std::uint64_t> { co_return i; });
  const auto results = b.get();
  std::uint64_t sum = 0;
  for (const std::uint64_t value : results) sum += value;
  EXPECT_EQ(sum, n * (n - 1) / 2);
  EXPECT_LE(rt.metrics().loops_created, 2u);
}

TEST(batch, is_awaited_from_a_worker_of_the_same_runtime) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<std::uint64_t> {
    auto b = rt.dispatch(1000, square);
    const auto results = co_await b;
    std::uint64_t sum = 0;
    for (const std::uint64_t value : results) sum += value;
    co_return sum;
  };
  EXPECT_EQ(rt.run(main()), 999ull * 1000 * 1999 / 6);
}

TEST(batch, is_awaited_from_the_only_worker_of_its_runtime) {
  runtime rt(std::size_t{1});
  auto main = [&]() -> task<std::size_t> {
    auto b = rt.dispatch(10'000, square_after_yields);
    const auto results = co_await b;
    co_return results.size();
  };
  EXPECT_EQ(rt.run(main()), 10'000u);
}

// A poll never leaves the queue of what is ready, which comes before items that have not started.
TEST(batch, starts_later_items_while_an_earlier_one_polls_for_them) {
  for (const bool has_a_low_one : {false, true}) {
    runtime rt(std::size_t{1});
    constexpr std::uint64_t last = 999;
    bool has_run = false;  // one worker: no other thread looks
    auto item = [&](std::uint64_t i) -> task<> {
      while (i == 0 && !has_run) co_await yield();
      has_run |= i == last;
    };
    auto low = rt.dispatch(
        has_a_low_one ? 100 : 0, [](std::uint64_t i) { return give(int(i)); },
        dispatch_options().with_priority(priority::low));
    auto op = rt.dispatch(last + 1, item);
    op.wait();
    low.wait();
    EXPECT_EQ(op.counts().completed, last + 1);
  }
}

TEST(batch, is_awaited_from_a_lone_runner) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<std::size_t> {
    auto b = rt.dispatch(1000, square);
    const auto results = co_await b;
    EXPECT_TRUE(b.done());
    co_return results.size();
  };
  EXPECT_EQ(run(main()), 1000u);
}

TEST(batch, that_is_done_is_awaited_without_waiting) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(10, square);
  b.wait();
  auto main = [&]() -> task<std::size_t> {
    const auto results = co_await b;
    co_return results.size();
  };
  EXPECT_EQ(rt.run(main()), 10u);
}

TEST(batch, inside_batch) {
  runtime rt(std::size_t{2});
  auto inner = [&](std::uint64_t i) -> task<std::uint64_t> {
    auto b = rt.dispatch(i, [](std::uint64_t k) -> task<std::uint64_t> { co_return k; });
    const auto results = co_await b;
    std::uint64_t sum = 0;
    for (const std::uint64_t value : results) sum += value;
    co_return sum;
  };
  auto b = rt.dispatch(100, inner);
  const auto results = b.get();
  for (std::uint64_t i = 1; i < 100; ++i) EXPECT_EQ(results[i], i * (i - 1) / 2);
}

TEST(batch, many_at_once_from_many_threads) {
  runtime rt(std::size_t{2});
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        auto b = rt.dispatch(100, square_after_yields);
        for (const std::uint64_t value : b.get()) sum += value;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(sum.load(), 80 * (99ull * 100 * 199 / 6));
}

TEST(batch, blocking_wait_inside_a_loop_is_refused) {
  runtime rt(std::size_t{2});
  auto main = [&]() -> task<std::size_t> {
    auto b = rt.dispatch(100, square);
    EXPECT_THROW(b.wait(), blocking_in_loop);
    EXPECT_THROW((void)b.wait_for(1ms), blocking_in_loop);
    EXPECT_THROW((void)b.get(), blocking_in_loop);
    const auto results = co_await b;
    co_return results.size();
  };
  EXPECT_EQ(rt.run(main()), 100u);
  EXPECT_EQ(run(main()), 100u);
}

TEST(batch, wait_for_gives_up_and_the_batch_goes_on) {
  runtime rt(std::size_t{2});
  gate g;
  auto body = [&](std::uint64_t) -> task<> { co_await g.wait(); };
  auto b = rt.dispatch(10, body);
  EXPECT_FALSE(b.wait_for(0ms));
  EXPECT_FALSE(b.done());
  g.open();
  b.wait();
  EXPECT_TRUE(b.wait_for(0ms));
  EXPECT_EQ(b.counts().completed, 10u);
}

TEST(batch, dropping_the_handle_detaches) {
  runtime rt(std::size_t{2});
  tally ran;
  auto body = [&](std::uint64_t) -> task<> {
    co_await yield();
    ran.add();
  };
  {
    auto b = rt.dispatch(1000, body);
  }
  ran.wait_for(1000);
  EXPECT_TRUE(rt.drain(10s));
  EXPECT_EQ(ran.value(), 1000);
}

TEST(batch, moved_handle_goes_on) {
  runtime rt(std::size_t{2});
  auto a = rt.dispatch(100, square);
  auto b = std::move(a);
  EXPECT_EQ(b.get().size(), 100u);
  a = std::move(b);
  EXPECT_EQ(a.get().size(), 100u);
}

TEST(batch, results_outlive_the_runtime_with_the_handle) {
  std::optional<batch<std::uint64_t>> b;
  {
    runtime rt(std::size_t{2});
    b.emplace(rt.dispatch(100, square));
    b->wait();
  }
  EXPECT_EQ(b->results()[9], 81u);
}

// The factory is a lambda with captures whose coroutines use them after a suspension.
TEST(batch, keeps_the_factory_as_long_as_its_coroutines) {
  runtime rt(std::size_t{2});
  tally ran;
  {
    auto guard = std::make_shared<int>(5);
    auto body = [guard = std::move(guard), &ran](std::uint64_t) -> task<> {
      co_await yield();
      EXPECT_EQ(*guard, 5);
      ran.add();
    };
    (void)rt.dispatch(100, std::move(body));
  }
  ran.wait_for(100);
}

TEST(batch, releases_the_factory_when_it_is_over) {
  auto guard = std::make_shared<int>(5);
  const std::weak_ptr<int> watch = guard;
  {
    runtime rt(std::size_t{2});
    auto body = [guard = std::move(guard)](std::uint64_t) -> task<> { co_await yield(); };
    auto b = rt.dispatch(100, std::move(body));
    b.wait();
  }
  EXPECT_TRUE(watch.expired());
}

TEST(batch, counts_add_up) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t i) -> task<> {
    if (i % 10 == 0) throw boom();
    co_return;
  };
  auto b = rt.dispatch(1000, body);
  b.wait();
  const batch_counts c = b.counts();
  EXPECT_EQ(c.total, 1000u);
  EXPECT_EQ(c.started, 1000u);
  EXPECT_EQ(c.failed, 100u);
  EXPECT_EQ(c.completed, 900u);
  EXPECT_EQ(c.cancelled, 0u);
}

// What the first items taught of the size of chunks does not hold for the last ones: a worker that is stuck in
// one of them must not have the others in its chunk.
TEST(batch, leaves_most_of_its_end_to_thieves_whatever_came_before) {
  constexpr std::uint64_t items = 4096;
  runtime rt(std::size_t{2});
  for (int round = 0; round < 3; ++round) {
    tally later;
    auto body = [&](std::uint64_t i) -> task<> {
      if (i == items - 64) later.wait_for(54);
      if (i >= items - 54) later.add();
      co_return;
    };
    auto b = rt.dispatch(items, body);
    b.get();
  }
}

}  // namespace
}  // namespace harrier::test
