// SPDX-License-Identifier: Apache-2.0
// Awaitable parallel_for, parallel_reduce and invoke: what comes back, what a cancel waits for.
#include <harrier/parallel.hpp>

#include <harrier/runtime.hpp>

#include "support.hpp"

#include <cstdint>
#include <latch>
#include <memory>
#include <numeric>
#include <variant>

namespace harrier::test {
namespace {

using indices = tbb::blocked_range<std::size_t>;

TEST(parallel_for, calls_the_body_once_for_each_index) {
  runtime rt(std::size_t{2});
  std::vector<std::atomic<int>> calls(10'000);
  auto main = [&]() -> task<> {
    auto op =
        harrier::parallel_for(std::size_t{0}, calls.size(), [&](std::size_t i) { ++calls[i]; });
    co_await op;
  };
  rt.run(main());
  for (const std::atomic<int>& each : calls) ASSERT_EQ(each.load(), 1);
}

TEST(parallel_for, splits_a_range) {
  runtime rt(std::size_t{2});
  std::vector<int> squares(1000);
  auto main = [&]() -> task<> {
    auto op = harrier::parallel_for(indices(0, squares.size(), 10), [&](const indices& part) {
      for (std::size_t i = part.begin(); i != part.end(); ++i) {
        squares[i] = static_cast<int>(i * i);
      }
    });
    co_await op;
  };
  rt.run(main());
  for (std::size_t i = 0; i < squares.size(); ++i) ASSERT_EQ(squares[i], static_cast<int>(i * i));
}

TEST(parallel_for, of_nothing_calls_nothing) {
  runtime rt(std::size_t{2});
  std::atomic<int> calls{0};
  auto main = [&]() -> task<> {
    auto none = harrier::parallel_for(5, 5, [&](int) { ++calls; });
    co_await none;
    auto backwards = harrier::parallel_for(5, 1, [&](int) { ++calls; });
    co_await backwards;
    auto empty = harrier::parallel_for(indices(7, 7), [&](const indices&) { ++calls; });
    co_await empty;
  };
  rt.run(main());
  EXPECT_EQ(calls.load(), 0);
}

TEST(parallel_for, rethrows_an_error_once_every_call_has_ended) {
  runtime rt(std::size_t{2});
  std::atomic<int> inside{0};
  auto main = [&]() -> task<std::string> {
    auto op = harrier::parallel_for(0, 1000, [&](int i) {
      ++inside;
      const bool fails = i == 500;
      --inside;
      if (fails) throw boom("at 500");
    });
    std::string text;
    try {
      co_await op;
    } catch (const boom& e) {
      text = e.what();
    }
    EXPECT_EQ(inside.load(), 0);
    co_return text;
  };
  EXPECT_EQ(rt.run(main()), "at 500");
}

TEST(parallel_for, owns_its_body_until_it_was_awaited) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<long> {
    auto sum = std::make_shared<std::atomic<long>>(0);
    auto body = [sum, held = tracked()](int i) { *sum += i; };
    auto op = harrier::parallel_for(0, 100, std::move(body));
    co_await op;
    co_return sum->load();
  };
  EXPECT_EQ(rt.run(main()), 4950);
}

TEST(parallel_for, leaves_the_worker_free) {
  runtime rt(std::size_t{1});
  std::latch released(1);
  auto release = [&]() -> task<> {
    released.count_down();
    co_return;
  };
  auto main = [&]() -> task<> {
    auto releasing = spawn(release());
    auto op = harrier::parallel_for(0, 4, [&](int) { released.wait(); });
    co_await op;
    co_await releasing;
  };
  rt.run(main());
}

TEST(parallel_for, can_be_awaited_again) {
  runtime rt(std::size_t{2});
  std::atomic<int> calls{0};
  auto main = [&]() -> task<> {
    auto op = harrier::parallel_for(0, 10, [&](int) { ++calls; });
    co_await op;
    co_await op;
  };
  rt.run(main());
  EXPECT_EQ(calls.load(), 20);
}

// The body runs on until the test lets it: the cancel must wait for it, and begin no further call.
TEST(parallel_for, a_cancel_stops_what_has_not_begun_and_waits_for_what_has) {
  runtime rt(std::size_t{1});
  constexpr int pieces = 1'000'000;
  tally begun;
  std::latch released(1);
  std::atomic<int> calls{0};
  std::atomic<bool> cancel_seen{false};
  std::atomic<bool> told{false};
  auto main = [&]() -> task<> {
    auto local = std::make_unique<int>(1);  // in use by the body until it has ended
    auto body = [&, in_use = local.get()](int) {
      begun.add();
      released.wait();
      while (!told && !tbb::is_current_task_group_canceling()) {
      }
      calls += *in_use;
    };
    auto op = harrier::parallel_for(0, pieces, body);
    try {
      co_await op;
    } catch (const cancelled&) {
      cancel_seen = true;
      throw;
    }
  };
  auto handle = rt.spawn(main());
  begun.wait_for(1);
  handle.cancel();
  EXPECT_FALSE(cancel_seen) << "the body still runs";
  released.count_down();
  EXPECT_THROW(handle.get(), run_cancelled);
  told = true;
  EXPECT_TRUE(cancel_seen);
  EXPECT_LT(calls.load(), pieces);
  EXPECT_GE(calls.load(), 1);
}

TEST(parallel_for, a_cancel_that_is_due_prevents_it) {
  runtime rt(std::size_t{1});
  std::atomic<int> calls{0};
  tally started;
  std::latch cancelled_now(1);
  auto main = [&]() -> task<> {
    started.add();
    cancelled_now.wait();
    auto op = harrier::parallel_for(0, 100, [&](int) { ++calls; });
    co_await op;
  };
  auto handle = rt.spawn(main());
  started.wait_for(1);
  handle.cancel();
  cancelled_now.count_down();
  EXPECT_THROW(handle.get(), run_cancelled);
  EXPECT_EQ(calls.load(), 0);
}

TEST(parallel_for, from_a_lone_runner_is_refused) {
  auto main = []() -> task<> {
    auto op = harrier::parallel_for(0, 1, [](int) {});
    co_await op;
  };
  EXPECT_THROW(run(main()), no_running_loop);
}

TEST(parallel_reduce, gives_the_value_of_the_whole_range) {
  runtime rt(std::size_t{2});
  std::vector<long> values(100'000);
  std::iota(values.begin(), values.end(), 1);
  auto main = [&]() -> task<long> {
    auto op = harrier::parallel_reduce(
        indices(0, values.size()), 0L,
        [&](const indices& part, long sum) {
          for (std::size_t i = part.begin(); i != part.end(); ++i) sum += values[i];
          return sum;
        },
        std::plus<>());
    const long sum = co_await op;
    co_return sum;
  };
  EXPECT_EQ(rt.run(main()), 100'000L * 100'001 / 2);
}

TEST(parallel_reduce, joins_neighbours_in_their_order) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<std::string> {
    auto body = [](const indices& part, std::string text) {
      for (std::size_t i = part.begin(); i != part.end(); ++i) {
        text += static_cast<char>('a' + i % 26);
      }
      return text;
    };
    auto op = harrier::parallel_reduce(indices(0, 260, 3), std::string(), body, std::plus<>());
    std::string text = co_await op;
    co_return text;
  };
  std::string expected;
  for (std::size_t i = 0; i < 260; ++i) expected += static_cast<char>('a' + i % 26);
  EXPECT_EQ(rt.run(main()), expected);
}

TEST(parallel_reduce, of_nothing_gives_the_identity) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<int> {
    auto op = harrier::parallel_reduce(
        indices(3, 3), 17, [](const indices&, int) { return 0; }, std::plus<>());
    const int value = co_await op;
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 17);
}

TEST(parallel_invoke, gives_each_result_in_order) {
  runtime rt(std::size_t{2});
  std::atomic<bool> ran{false};
  auto main = [&]() -> task<> {
    auto op =
        harrier::invoke([] { return 1; }, [&] { ran = true; }, [] { return std::string("three"); });
    const std::tuple<int, std::monostate, std::string> given = co_await op;
    EXPECT_EQ(std::get<0>(given), 1);
    EXPECT_EQ(std::get<2>(given), "three");
  };
  rt.run(main());
  EXPECT_TRUE(ran);
}

TEST(parallel_invoke, rethrows) {
  runtime rt(std::size_t{2});
  auto main = []() -> task<> {
    auto op = harrier::invoke([] { throw boom(); }, [] { return 2; });
    co_await op;
  };
  EXPECT_THROW(rt.run(main()), boom);
}

TEST(parallel_for, from_many_coroutines_at_once) {
  runtime rt(std::size_t{2});
  auto item = [](std::uint64_t i) -> task<std::uint64_t> {
    auto op = harrier::parallel_reduce(
        indices(0, 1000), std::uint64_t{0},
        [i](const indices& part, std::uint64_t sum) { return sum + part.size() * i; },
        std::plus<>());
    const std::uint64_t sum = co_await op;
    co_return sum;
  };
  auto b = rt.dispatch(200, item);
  const auto sums = b.get();
  for (std::uint64_t i = 0; i < sums.size(); ++i) ASSERT_EQ(sums[i], 1000 * i);
}

}  // namespace
}  // namespace harrier::test
