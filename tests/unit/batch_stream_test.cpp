// SPDX-License-Identifier: Apache-2.0
// Streamed, reduced and discarded results; inputs that are pulled; pipelines.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>
#include <list>
#include <memory>
#include <numeric>
#include <ranges>
#include <string>
#include <thread>

namespace harrier::test {
namespace {

task<std::uint64_t> square(std::uint64_t i) { co_return i* i; }

task<std::uint64_t> square_after_yields(std::uint64_t i) {
  for (std::uint64_t k = 0; k < i % 3; ++k) co_await yield();
  co_return i* i;
}

// A range of which only the next element can be had, and which counts what was asked of it.
class countdown {
 public:
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = int;
    explicit iterator(countdown& of) : of_(&of) {}
    int operator*() const {
      of_->pulled.fetch_add(1);
      if (of_->next_ == of_->fails_at) throw boom("no more input");
      return of_->next_;
    }
    iterator& operator++() {
      ++of_->next_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return of_->next_ == of_->end_; }

   private:
    countdown* of_;
  };
  explicit countdown(int end, int failing = -1) : fails_at(failing), end_(end) {}
  iterator begin() { return iterator(*this); }
  std::default_sentinel_t end() const { return {}; }
  std::atomic<int> pulled{0};
  int fails_at;

 private:
  int next_ = 0;
  int end_;
};

TEST(batch_stream, gives_every_result_once_with_its_index) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto stream = rt.stream(5000, square_after_yields);
    std::vector<int> seen(5000);
    for (auto& each : stream) {
      EXPECT_EQ(each.value, each.index * each.index);
      ++seen[each.index];
    }
    EXPECT_EQ(std::ranges::count(seen, 1), 5000);
    EXPECT_TRUE(stream.done());
    EXPECT_FALSE(stream.wait_next().has_value());
    EXPECT_EQ(stream.progress().completed, 5000u);
  }
}

TEST(batch_stream, of_nothing_ends_at_once) {
  runtime rt(std::size_t{2});
  EXPECT_FALSE(rt.stream(0, square).wait_next().has_value());
  std::list<int> empty;
  EXPECT_FALSE(rt.stream(empty, [](int i) { return give(i); }).wait_next().has_value());
}

// A result counts until it is taken: nobody reads, so exactly the window has been started.
TEST(batch_stream, slow_reader_holds_the_batch_at_the_window) {
  for (const std::uint64_t window : {1u, 2u, 7u, 64u, 300u}) {
    runtime rt(std::size_t{2});
    std::atomic<std::uint64_t> started{0};
    auto body = [&](std::uint64_t i) -> task<std::uint64_t> {
      ++started;
      co_return i;
    };
    auto stream = rt.stream(1000, body, dispatch_options().with_window(window));
    std::uint64_t taken = 0;
    while (stream.wait_next()) {
      ++taken;
      EXPECT_LE(started.load(), taken + window);
    }
    EXPECT_EQ(taken, 1000u);
    EXPECT_EQ(stream.window(), window);
  }
}

TEST(batch_stream, each_result_taken_lets_an_item_start_behind_a_small_wall) {
  for (const std::uint64_t window : {1u, 2u, 3u, 7u}) {
    runtime rt(std::size_t{1});
    std::atomic<std::uint64_t> started{0};
    auto body = [&](std::uint64_t i) -> task<std::uint64_t> {
      ++started;
      co_return i;
    };
    auto stream = rt.stream(20, body, dispatch_options().with_window(window));
    for (std::uint64_t taken = 1; stream.wait_next(); ++taken) {
      while (started.load() < std::min<std::uint64_t>(taken + window, 20)) {
        std::this_thread::yield();
      }
    }
  }
}

// The last result before everything waits for the reader lies in a block that is not full, and who hands
// it over is the reader's own worker, on its way to sleep.
TEST(batch_stream, reader_bound_to_a_worker_is_woken_by_that_worker) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{2}}) {
    for (const std::uint64_t window : {0u, 8u, 64u}) {
      for (const priority urgency : {priority::high, priority::normal, priority::low}) {
        runtime rt(workers);
        gate g;
        auto body = [&](std::uint64_t i) -> task<std::uint64_t> {
          if (i != 0) co_await g.wait();
          co_return i;
        };
        auto read = [&]() -> task<std::uint64_t> {
          dispatch_options options;
          if (window != 0) options = options.with_window(window);
          auto stream = rt.stream(8, body, options);
          std::uint64_t taken = 0;
          for (;;) {
            auto next = stream.next();
            auto item = co_await next;
            if (!item) break;
            ++taken;
            g.open();
          }
          co_return taken;
        };
        auto reader = rt.spawn_on(0, read(), {}, urgency);
        EXPECT_EQ(reader.get(), 8u);
      }
    }
  }
}

TEST(batch_stream, is_awaited_in_a_coroutine_on_a_worker) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{3}}) {
    runtime rt(workers);
    auto read = [&]() -> task<std::uint64_t> {
      auto stream = rt.stream(3000, square_after_yields, dispatch_options().with_window(16));
      std::uint64_t sum = 0;
      for (;;) {
        auto next = stream.next();
        auto item = co_await next;
        if (!item) break;
        sum += item->index;
      }
      co_return sum;
    };
    EXPECT_EQ(rt.run(read()), 2999u * 3000u / 2);
  }
}

TEST(batch_stream, cancelled_wait_loses_nothing) {
  runtime rt(std::size_t{1});
  gate g;
  auto body = [&](std::uint64_t i) -> task<std::uint64_t> {
    co_await g.wait();
    co_return i;
  };
  auto stream = rt.stream(3, body);
  auto read = [&]() -> task<> {
    auto next = stream.next();
    co_await next;
  };
  auto reader = rt.spawn(read());
  while (g.arrivals() < 3) std::this_thread::yield();
  reader.cancel();
  EXPECT_THROW(reader.get(), run_cancelled);
  g.open();
  std::uint64_t taken = 0;
  while (stream.wait_next()) ++taken;
  EXPECT_EQ(taken, 3u);
}

TEST(batch_stream, moves_results_that_only_move) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t i) -> task<std::unique_ptr<std::uint64_t>> {
    co_return std::make_unique<std::uint64_t>(i);
  };
  std::uint64_t sum = 0;
  auto stream = rt.stream(500, body);
  while (auto item = stream.wait_next()) sum += *item->value;
  EXPECT_EQ(sum, 499u * 500u / 2);
}

TEST(batch_stream, of_items_that_give_nothing_gives_their_indices) {
  runtime rt(std::size_t{2});
  std::uint64_t sum = 0;
  auto body = [](std::uint64_t) -> task<> { co_await yield(); };
  for (auto& each : rt.stream(100, body)) sum += each.index;
  EXPECT_EQ(sum, 4950u);
}

TEST(batch_stream, dropped_with_results_in_it_cancels_and_destroys_them) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t) -> task<tracked> {
    co_await yield();
    co_return tracked();
  };
  auto stream = rt.stream(std::views::iota(std::uint64_t{0}), body);  // never ends by itself
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(stream.wait_next().has_value());
}

// More blocks than a reader takes at once, and then some that were read before.
TEST(batch_stream, reader_far_behind_gets_a_workers_results_in_order) {
  constexpr std::uint64_t items = 60'000;
  runtime rt(1);
  auto stream = rt.stream(items, square, dispatch_options().with_window(20'000));
  while (stream.counts().completed < 20'000) {
    std::this_thread::yield();
  }
  std::uint64_t next = 0;
  while (auto item = stream.wait_next()) {
    ASSERT_EQ(item->index, next);
    ASSERT_EQ(item->value, next * next);
    ++next;
  }
  EXPECT_EQ(next, items);
}

class counted_value {
 public:
  explicit counted_value(std::atomic<long>& alive) : alive_(&alive) { alive_->fetch_add(1); }
  counted_value(counted_value&& other) noexcept : alive_(other.alive_) { alive_->fetch_add(1); }
  counted_value& operator=(counted_value&&) = delete;
  ~counted_value() { alive_->fetch_sub(1); }

 private:
  std::atomic<long>* alive_;
};

TEST(batch_stream, dropped_anywhere_leaves_no_result_behind) {
  for (const int taken : {0, 1, 99, 100, 150, 2000}) {
    std::atomic<long> alive = 0;
    {
      runtime rt(2);
      auto body = [&alive](std::uint64_t) -> task<counted_value> {
        co_return counted_value(alive);
      };
      auto stream = rt.stream(100'000, body, dispatch_options().with_window(4000));
      for (int k = 0; k < taken; ++k) {
        ASSERT_TRUE(stream.wait_next().has_value());
      }
    }
    EXPECT_EQ(alive.load(), 0) << taken;
  }
}

TEST(batch_stream, fails_fast_by_default_and_joins) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    std::atomic<int> inside{0};
    std::atomic<int> started{0};
    auto body = [&](std::uint64_t) -> task<int> {
      if (++started == 10) throw boom("ten");
      ++inside;
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
        --inside;
        throw;
      }
      co_return 1;
    };
    auto stream = rt.stream(1000, body, dispatch_options().with_window(50));
    EXPECT_THROW(
        {
          while (stream.wait_next()) {
          }
        },
        boom);
    EXPECT_EQ(inside.load(), 0);
    EXPECT_LT(stream.first_error()->index, 1000u);
    EXPECT_LE(started.load(), 50);
  }
}

TEST(batch_stream, collect_all_ends_normally_and_lists_the_errors) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t i) -> task<std::uint64_t> {
    if (i % 10 == 3) throw boom();
    co_return i;
  };
  auto stream = rt.stream(100, body, dispatch_options().on_error(collect_all));
  int taken = 0;
  while (stream.wait_next()) ++taken;
  EXPECT_EQ(taken, 90);
  ASSERT_EQ(stream.errors().size(), 10u);
  EXPECT_EQ(stream.errors()[2].index, 23u);
}

TEST(batch_stream, drop_unstarted_brings_the_ordinary_end) {
  runtime rt(std::size_t{2});
  auto stream = rt.stream(1'000'000, square, dispatch_options().with_window(10));
  EXPECT_TRUE(stream.wait_next().has_value());
  stream.drop_unstarted();
  int rest = 0;
  while (stream.wait_next()) ++rest;
  EXPECT_LE(rest, 10);
  EXPECT_EQ(stream.counts().completed, static_cast<std::uint64_t>(rest + 1));
}

// --- reduce, for_each

TEST(batch_reduce, sums_on_the_workers) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto sum = rt.reduce(10'000, square_after_yields, reduction(std::uint64_t{0}, std::plus<>()));
    std::uint64_t expected = 0;
    for (std::uint64_t i = 0; i < 10'000; ++i) expected += i * i;
    EXPECT_EQ(sum.get(), expected);
  }
}

TEST(batch_reduce, combines_values_of_another_type) {
  runtime rt(std::size_t{4});
  auto add = [](std::vector<std::uint64_t> to, std::uint64_t value) {
    to.push_back(value);
    return to;
  };
  auto join = [](std::vector<std::uint64_t> to, const std::vector<std::uint64_t>& from) {
    to.insert(to.end(), from.begin(), from.end());
    return to;
  };
  auto all =
      rt.reduce(500, square_after_yields, reduction(std::vector<std::uint64_t>(), add, join));
  EXPECT_EQ(all.get().size(), 500u);
}

TEST(batch_reduce, throws_what_an_item_or_the_operation_threw) {
  runtime rt(std::size_t{2});
  auto failing = [](std::uint64_t i) -> task<int> {
    if (i == 5) throw boom("item");
    co_return 1;
  };
  auto of_item = rt.reduce(10, failing, reduction(0, std::plus<>()));
  EXPECT_THROW(of_item.get(), boom);
  auto op = [](int, int) -> int { throw boom("operation"); };
  auto of_operation =
      rt.reduce(10, [](std::uint64_t i) { return give(static_cast<int>(i)); }, reduction(0, op));
  EXPECT_THROW(of_operation.get(), boom);
}

TEST(batch_reduce, is_awaited) {
  runtime rt(std::size_t{2});
  auto work = [&]() -> task<std::uint64_t> {
    auto sum = rt.reduce(100, square, reduction(std::uint64_t{0}, std::plus<>()));
    co_return co_await sum;
  };
  EXPECT_EQ(rt.run(work()), 328350u);
}

// --- reduce in order

// Texts neither commute nor are they all there at once: what comes out is what a loop would give.
TEST(batch_reduce, in_order_gives_what_a_loop_gives) {
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + " ";
  auto text = [](std::uint64_t i) -> task<std::string> {
    for (std::uint64_t k = 0; k < i % 3; ++k) co_await yield();
    co_return std::to_string(i) + " ";
  };
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto of_indices = rt.reduce(1000, text, ordered_reduction(std::string(), std::plus<>()));
    EXPECT_EQ(of_indices.get(), expected);
    auto dealt = rt.reduce(1000, text, ordered_reduction(std::string(), std::plus<>()),
                           dispatch_options().round_robin());
    EXPECT_EQ(dealt.get(), expected);
    auto pulled = rt.reduce(std::views::iota(std::uint64_t{0}) |
                                std::views::take_while([](auto i) { return i < 1000; }),
                            text, ordered_reduction(std::string(), std::plus<>()));
    EXPECT_EQ(pulled.get(), expected);
  }
}

TEST(batch_reduce, in_order_gives_the_same_bits_on_any_number_of_workers) {
  auto part = [](std::uint64_t i) -> task<double> {
    if (i % 17 == 0) co_await yield();
    co_return 1.0 / static_cast<double>(i + 1);
  };
  std::vector<double> sums;
  for (const std::size_t workers : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    runtime rt(workers);
    auto sum = rt.reduce(100'003, part, ordered_reduction(0.0, std::plus<>()));
    sums.push_back(sum.get());
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
  EXPECT_NEAR(sums[0], 12.09, 0.01);
}

TEST(batch_reduce, in_order_leaves_out_what_failed) {
  runtime rt(std::size_t{3});
  auto text = [](std::uint64_t i) -> task<std::string> {
    if (i % 2 == 0) co_await yield();
    if (i % 100 == 7 || (i >= 128 && i < 256)) throw boom();
    co_return std::to_string(i) + " ";
  };
  std::string expected;
  for (std::uint64_t i = 0; i < 500; ++i) {
    if (i % 100 != 7 && (i < 128 || i >= 256)) expected += std::to_string(i) + " ";
  }
  auto some = rt.reduce(500, text, ordered_reduction(std::string(), std::plus<>()),
                        dispatch_options().on_error(tolerate(200)));
  EXPECT_EQ(some.get(), expected);
  auto none = rt.reduce(500, text, ordered_reduction(std::string(), std::plus<>()));
  EXPECT_THROW(none.get(), boom);
  auto nothing = rt.reduce(0, text, ordered_reduction(std::string("empty"), std::plus<>()));
  EXPECT_EQ(nothing.get(), "empty");
}

TEST(batch_reduce, in_order_takes_what_only_moves_and_throws_what_the_operation_threw) {
  runtime rt(std::size_t{2});
  auto box = [](std::uint64_t i) -> task<std::unique_ptr<std::uint64_t>> {
    co_await yield();
    co_return std::make_unique<std::uint64_t>(i);
  };
  auto open = [](std::uint64_t sum, std::unique_ptr<std::uint64_t> one) { return sum + *one; };
  auto sum = rt.reduce(300, box, ordered_reduction(std::uint64_t{0}, open, std::plus<>()));
  EXPECT_EQ(sum.get(), 44850u);
  auto op = [](std::uint64_t, std::uint64_t) -> std::uint64_t { throw boom("operation"); };
  auto failing = rt.reduce(300, square, ordered_reduction(std::uint64_t{0}, op));
  EXPECT_THROW(failing.get(), boom);
}

TEST(batch_for_each, discards_the_results) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t) -> task<tracked> {
    co_await yield();
    co_return tracked();
  };
  auto b = rt.for_each(1000, body);
  b.get();
  EXPECT_EQ(b.counts().completed, 1000u);
  EXPECT_EQ(tracked::alive(), 0);
}

// --- inputs that are pulled

TEST(batch_input, of_unknown_length_is_collected_in_its_order) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    countdown input(3000);
    auto b = rt.dispatch(input, [](int i) -> task<int> {
      if (i % 2 == 0) co_await yield();
      co_return -i;
    });
    const auto results = b.get();
    ASSERT_EQ(results.size(), 3000u);
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)], -i);
    EXPECT_EQ(b.size(), 3000u);
    EXPECT_EQ(b.counts().total, 3000u);
  }
}

TEST(batch_input, is_pulled_only_for_items_that_may_start) {
  runtime rt(std::size_t{2});
  countdown input(1000);
  gate g;
  auto body = [&](int i) -> task<int> {
    co_await g.wait();
    co_return i;
  };
  auto b = rt.dispatch(input, body, dispatch_options().with_window(5));
  while (g.arrivals() < 5) std::this_thread::yield();
  for (int i = 0; i < 50; ++i) rt.run(give(i));
  EXPECT_EQ(input.pulled.load(), 5);
  g.open();
  EXPECT_EQ(b.get().size(), 1000u);
}

TEST(batch_input, that_throws_is_reported_with_its_position) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    countdown input(1000, 17);
    std::atomic<int> ended{0};
    auto body = [&](int i) -> task<int> {
      co_await yield();
      ++ended;
      co_return i;
    };
    auto b = rt.for_each(input, body, dispatch_options().on_error(collect_all));
    try {
      b.get();
      FAIL() << "no error";
    } catch (const batch_input_failed& e) {
      EXPECT_EQ(e.position(), 17u);
      EXPECT_THROW(e.rethrow_nested(), boom);
      EXPECT_NE(std::string(e.what()).find("no more input"), std::string::npos);
    }
    EXPECT_EQ(ended.load(), 17);  // what had started has ended
    EXPECT_EQ(b.errors().front().index, 17u);
  }
}

TEST(batch_input, gives_elements_that_only_move) {
  runtime rt(std::size_t{2});
  auto numbers = std::views::iota(0, 100) |
                 std::views::transform([](int i) { return std::make_unique<int>(i); }) |
                 std::views::filter([](const auto&) { return true; });
  auto body = [](std::unique_ptr<int> number) -> task<int> {
    co_await yield();
    co_return *number;
  };
  auto b = rt.dispatch(numbers, body);
  const auto results = b.get();
  EXPECT_EQ(std::accumulate(results.begin(), results.end(), 0), 4950);
  EXPECT_THROW((void)rt.dispatch(numbers, body, dispatch_options().with_retry(retry_policy())),
               std::invalid_argument);
}

TEST(batch_input, factory_may_ask_which_item_it_makes) {
  runtime rt(std::size_t{2});
  const std::vector<std::string> words{"a", "b", "c"};
  auto body = [](const std::string& word, batch_item item) -> task<std::string> {
    co_return word + std::to_string(item.index) + "/" + std::to_string(item.attempt);
  };
  auto b = rt.dispatch(words, body);
  EXPECT_EQ(b.get()[2], "c2/1");
  auto seeds = [](std::uint64_t, batch_item item) -> task<std::uint64_t> { co_return item.seed(); };
  auto one = rt.dispatch(10, seeds, dispatch_options().with_seed(7));
  auto same = rt.dispatch(10, seeds, dispatch_options().with_seed(7));
  auto other = rt.dispatch(10, seeds, dispatch_options().with_seed(8));
  EXPECT_TRUE(std::ranges::equal(one.get(), same.get()));
  EXPECT_FALSE(std::ranges::equal(one.get(), other.get()));
  EXPECT_NE(one.get()[0], one.get()[1]);
}

// --- pipelines

TEST(batch_pipeline, passes_each_item_through_every_stage) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
    runtime rt(workers);
    auto text = [](std::uint64_t v) -> task<std::string> {
      co_await yield();
      co_return std::to_string(v);
    };
    auto length = [](std::string s) -> task<std::size_t> { co_return s.size(); };
    auto stream = rt.stream(2000, square, dispatch_options().with_window(20)) |
                  then(text, dispatch_options().with_window(3)) | then(length);
    std::vector<int> seen(2000);
    while (auto item = stream.wait_next()) {
      EXPECT_EQ(item->value, std::to_string(item->index * item->index).size());
      ++seen[item->index];
    }
    EXPECT_EQ(std::ranges::count(seen, 1), 2000);
  }
}

// There is no barrier: the first item leaves the last stage while the input still waits.
TEST(batch_pipeline, has_no_barrier_between_stages) {
  runtime rt(std::size_t{2});
  gate g;
  auto first = [&](std::uint64_t i) -> task<std::uint64_t> {
    if (i != 0) co_await g.wait();
    co_return i;
  };
  auto stream = rt.stream(10, first) | then([](std::uint64_t i) { return square(i); });
  auto item = stream.wait_next();
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(item->index, 0u);
  g.open();
  int rest = 0;
  while (stream.wait_next()) ++rest;
  EXPECT_EQ(rest, 9);
}

TEST(batch_pipeline, of_a_failing_stage_ends_all_of_them) {
  for (const int failing : {0, 1}) {
    runtime rt(std::size_t{2});
    std::atomic<int> inside{0};
    auto stage = [&](int number) {
      return [&inside, number, failing](std::uint64_t i) -> task<std::uint64_t> {
        ++inside;
        if (number == failing && i == 40) {
          --inside;
          throw boom("forty");
        }
        try {
          co_await sleep_for(1us);
        } catch (const cancelled&) {
          --inside;
          throw;
        }
        --inside;
        co_return i;
      };
    };
    auto stream =
        rt.stream(std::views::iota(std::uint64_t{0}), stage(0), dispatch_options().with_window(8)) |
        then(stage(1), dispatch_options().with_window(8));
    EXPECT_THROW(
        {
          while (stream.wait_next()) {
          }
        },
        boom);
    EXPECT_EQ(inside.load(), 0) << "stage " << failing;
    EXPECT_EQ(stream.first_error()->index, 40u);
  }
}

}  // namespace
}  // namespace harrier::test
