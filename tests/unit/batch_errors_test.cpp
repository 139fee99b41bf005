// SPDX-License-Identifier: Apache-2.0
// Errors of a batch: the first by completion to whoever takes the results, all of them by index.
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <algorithm>

namespace harrier::test {
namespace {

TEST(batch_errors, are_listed_by_index) {
  runtime rt(std::size_t{4});
  auto body = [](std::uint64_t i) -> task<std::uint64_t> {
    if (i % 7 == 3) throw boom(std::to_string(i));
    co_await yield();
    co_return i;
  };
  auto b = rt.dispatch(700, body);
  b.wait();
  const std::vector<item_error> errors = b.errors();
  ASSERT_EQ(errors.size(), 100u);
  for (std::size_t k = 0; k < errors.size(); ++k) {
    EXPECT_EQ(errors[k].index, k * 7 + 3);
    EXPECT_EQ(text_of(errors[k].error), std::to_string(k * 7 + 3));
  }
  EXPECT_EQ(b.counts().failed, 100u);
  EXPECT_EQ(b.counts().completed, 600u);
}

TEST(batch_errors, wait_throws_none_and_get_throws_the_first) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t i) -> task<int> {
    if (i == 5) throw boom("five");
    co_return 1;
  };
  auto b = rt.dispatch(10, body);
  EXPECT_NO_THROW(b.wait());
  EXPECT_THROW((void)b.get(), boom);
  EXPECT_TRUE(b.has_result(4));
  EXPECT_FALSE(b.has_result(5));
  EXPECT_EQ(b.results()[4], 1);
}

TEST(batch_errors, first_is_the_first_by_completion) {
  virtual_clock time;
  runtime_options options;
  options.workers = 2;
  options.time = &time;
  runtime rt(options);
  // The higher the index, the earlier it fails.
  auto body = [](std::uint64_t i) -> task<int> {
    co_await sleep_for(std::chrono::seconds(100 - i));
    throw boom(std::to_string(i));
    co_return 0;
  };
  auto b = rt.dispatch(10, body);
  b.wait();
  const std::optional<item_error> first = b.first_error();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->index, 9u);
  try {
    (void)b.get();
    FAIL() << "no error";
  } catch (const boom& e) {
    EXPECT_STREQ(e.what(), "9");
  }
  EXPECT_EQ(b.errors().size(), 10u);
  EXPECT_EQ(b.errors().front().index, 0u);
}

// Found by tests/fuzz/program: errors() had the cancelled items as well.
TEST(batch_errors, are_those_of_items_that_failed_and_not_of_cancelled_ones) {
  runtime rt(std::size_t{1});
  tally started;
  auto body = [&](std::uint64_t i) -> task<> {
    started.add();
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      if (i == 3) throw boom("in the end");
      throw;
    }
  };
  auto b = rt.dispatch(5, body);
  started.wait_for(5);
  b.cancel();
  b.wait();
  EXPECT_EQ(b.counts().cancelled, 4u);
  ASSERT_EQ(b.errors().size(), 1u);
  EXPECT_EQ(b.errors()[0].index, 3u);
  ASSERT_TRUE(b.first_error().has_value());
  EXPECT_EQ(b.first_error()->index, 3u);
}

TEST(batch_errors, none_means_none) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(10, [](std::uint64_t i) { return give(static_cast<int>(i)); });
  b.wait();
  EXPECT_FALSE(b.first_error().has_value());
  EXPECT_TRUE(b.errors().empty());
}

TEST(batch_errors, reach_the_coroutine_that_awaits) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t i) -> task<> {
    if (i == 3) throw boom("three");
    co_return;
  };
  auto main = [&]() -> task<std::string> {
    auto b = rt.dispatch(10, body);
    std::string text;
    try {
      co_await b;
    } catch (const boom& e) {
      text = e.what();
    }
    EXPECT_EQ(b.counts().completed, 9u) << "all others ended first";
    co_return text;
  };
  EXPECT_EQ(rt.run(main()), "three");
}

TEST(batch_errors, of_a_factory_that_throws_are_reported_with_the_index) {
  runtime rt(std::size_t{2});
  auto factory = [](std::uint64_t k) -> task<int> {
    if (k == 77) throw boom("no task for 77");
    return give(static_cast<int>(k));
  };
  auto b = rt.dispatch(1000, factory);
  b.wait();
  const auto errors = b.errors();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].index, 77u);
  EXPECT_EQ(text_of(errors[0].error), "no task for 77");
  EXPECT_TRUE(b.done());
  const batch_counts c = b.counts();
  EXPECT_EQ(c.completed + c.failed + c.cancelled, c.total);
  EXPECT_EQ(c.failed, 1u);
  EXPECT_EQ(rt.run(give(1)), 1) << "the runtime stays usable";
}

TEST(batch_errors, of_a_factory_that_always_throws) {
  runtime rt(std::size_t{2});
  auto factory = [](std::uint64_t /*k*/) -> task<int> { throw boom("never"); };
  auto b = rt.dispatch(10'000, factory);
  b.wait();
  EXPECT_EQ(b.counts().failed, 10'000u);
  EXPECT_THROW((void)b.get(), boom);
}

TEST(batch_errors, of_a_factory_that_returns_an_empty_task) {
  runtime rt(std::size_t{2});
  auto factory = [](std::uint64_t k) {
    auto t = give(static_cast<int>(k));
    if (k == 5) {
      const task<int> taken = std::move(t);
    }
    return t;
  };
  auto b = rt.dispatch(10, factory);
  b.wait();
  ASSERT_EQ(b.errors().size(), 1u);
  EXPECT_EQ(b.errors()[0].index, 5u);
  EXPECT_TRUE(holds<invalid_task>(b.errors()[0].error));
}

// A result whose move throws for one item.
class fussy {
 public:
  explicit fussy(bool throws) noexcept : throws_(throws) {}
  fussy(fussy&& other) : throws_(other.throws_) {
    if (throws_) throw boom("move");
  }
  fussy& operator=(fussy&&) = delete;

 private:
  bool throws_;
  tracked life_;
};

TEST(batch_errors, of_a_result_whose_move_throws) {
  {
    runtime rt(std::size_t{2});
    auto make = [](std::uint64_t i) -> task<fussy> {
      fussy value(i == 13);
      co_return std::move(value);
    };
    auto b = rt.dispatch(100, make);
    b.wait();
    ASSERT_EQ(b.errors().size(), 1u);
    EXPECT_EQ(b.errors()[0].index, 13u);
    EXPECT_FALSE(b.has_result(13));
    EXPECT_TRUE(b.has_result(12));
  }
  EXPECT_EQ(tracked::alive(), 0);
}

// The same where the coroutine had suspended, so that the item ends on another path.
TEST(batch_errors, of_a_result_whose_move_throws_after_a_suspension) {
  {
    runtime rt(std::size_t{2});
    auto make = [](std::uint64_t i) -> task<fussy> {
      co_await yield();
      fussy value(i == 13);
      co_return std::move(value);
    };
    auto b = rt.dispatch(100, make);
    b.wait();
    ASSERT_EQ(b.errors().size(), 1u);
    EXPECT_EQ(b.errors()[0].index, 13u);
  }
  EXPECT_EQ(tracked::alive(), 0);
}

// A move out of the promise may throw although the move into it did not.
class fussy_on_its_second_move {
 public:
  explicit fussy_on_its_second_move(bool throws) noexcept : moves_left_(throws ? 1 : 1000) {}
  fussy_on_its_second_move(fussy_on_its_second_move&& other) : moves_left_(other.moves_left_ - 1) {
    if (moves_left_ < 0) throw boom("second move");
  }
  fussy_on_its_second_move& operator=(fussy_on_its_second_move&&) = delete;

 private:
  int moves_left_;
  tracked life_;
};

TEST(batch_errors, of_a_result_whose_second_move_throws) {
  for (const bool suspend : {false, true}) {
    runtime rt(std::size_t{2});
    auto make = [suspend](std::uint64_t i) -> task<fussy_on_its_second_move> {
      if (suspend) co_await yield();
      fussy_on_its_second_move value(i == 13);
      co_return std::move(value);
    };
    auto b = rt.dispatch(100, make);
    b.wait();
    // Where results are built in place there is no second move; otherwise it is item 13's error.
    EXPECT_LE(b.errors().size(), 1u);
    for (const item_error& e : b.errors()) EXPECT_EQ(e.index, 13u);
    const batch_counts c = b.counts();
    EXPECT_EQ(c.completed + c.failed, c.total);
  }
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(batch_errors, of_a_detached_batch_go_to_the_exception_handler) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.exception_handler = std::ref(log);
  {
    runtime rt(options);
    auto body = [](std::uint64_t i) -> task<> {
      if (i == 4) throw boom("four");
      co_return;
    };
    {
      auto b = rt.dispatch(10, body);
    }
    EXPECT_TRUE(rt.drain(10s));
  }
  ASSERT_GE(log.size(), 1u);
  EXPECT_EQ(text_of(log.at(0).error), "four");
}

// The handle goes after the end, on a thread that runs no loop.
TEST(batch_errors, unread_after_the_end_go_to_the_exception_handler) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.exception_handler = std::ref(log);
  runtime rt(options);
  auto body = [](std::uint64_t i) -> task<> {
    if (i == 4) throw boom("four");
    co_return;
  };
  {
    auto b = rt.dispatch(10, body);
    b.wait();
  }
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(text_of(log.at(0).error), "four");
}

TEST(batch_errors, any_type_can_be_thrown) {
  runtime rt(std::size_t{2});
  auto body = [](std::uint64_t i) -> task<> {
    if (i == 1) throw 7;
    co_return;
  };
  auto b = rt.dispatch(3, body);
  b.wait();
  ASSERT_EQ(b.errors().size(), 1u);
  EXPECT_TRUE(holds<int>(b.errors()[0].error));
}

}  // namespace
}  // namespace harrier::test
