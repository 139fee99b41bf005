// SPDX-License-Identifier: Apache-2.0
// test_futures: the state table, callbacks, and what is reported.
//
// Left out: those about Python's loop argument, reprs, copies of context, generators and the C and
// Python halves. test_wrap_future*: from_future and from_callback (tests/unit/foreign_test.cpp).
#include "case.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace harrier::test {
namespace {

std::exception_ptr an_error() { return std::make_exception_ptr(boom()); }

ASYNCIO_CASE(test_futures, test_initial_state) {
  promise<int> source;
  auto f = source.get_future();
  EXPECT_FALSE(f.is_cancelled());
  EXPECT_FALSE(f.done());
  f.cancel();
  EXPECT_TRUE(f.is_cancelled());
  co_return;
}

ASYNCIO_CASE(test_futures, test_cancel) {
  promise<int> source;
  auto f = source.get_future();
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(f.is_cancelled());
  EXPECT_TRUE(f.done());
  EXPECT_THROW(f.result(), cancelled);
  EXPECT_THROW(f.exception(), cancelled);
  EXPECT_THROW(source.set_value(1), invalid_state);
  EXPECT_THROW(source.set_exception(an_error()), invalid_state);
  EXPECT_FALSE(f.cancel());
  co_return;
}

ASYNCIO_CASE(test_futures, test_result) {
  promise<int> source;
  auto f = source.get_future();
  EXPECT_THROW(f.result(), invalid_state);
  source.set_value(42);
  EXPECT_FALSE(f.is_cancelled());
  EXPECT_TRUE(f.done());
  EXPECT_EQ(f.result(), 42);
  EXPECT_EQ(f.exception(), nullptr);
  EXPECT_THROW(source.set_value(43), invalid_state);
  EXPECT_THROW(source.set_exception(an_error()), invalid_state);
  EXPECT_FALSE(f.cancel());
  co_return;
}

ASYNCIO_CASE(test_futures, test_exception) {
  promise<int> source;
  auto f = source.get_future();
  EXPECT_THROW(f.exception(), invalid_state);
  source.set_exception(an_error());
  EXPECT_FALSE(f.is_cancelled());
  EXPECT_TRUE(f.done());
  EXPECT_THROW(f.result(), boom);
  EXPECT_TRUE(holds<boom>(f.exception()));
  EXPECT_THROW(source.set_value(1), invalid_state);
  EXPECT_THROW(source.set_exception(an_error()), invalid_state);
  EXPECT_FALSE(f.cancel());
  co_return;
}

ASYNCIO_CASE(test_futures, test_yield_from_twice) {
  promise<std::string> source;
  auto f = source.get_future();
  source.set_value("the same");
  const std::string first = co_await f;
  const std::string second = co_await f;
  EXPECT_EQ(first, second);
}

ASYNCIO_CASE(test_futures, test_copy_state) {
  promise<int> valued;
  valued.set_value(10);
  promise<int> newer;
  newer.set_from(valued.get_future());
  EXPECT_EQ(newer.get_future().result(), 10);

  promise<int> failed;
  failed.set_exception(an_error());
  promise<int> newer_failed;
  newer_failed.set_from(failed.get_future());
  EXPECT_THROW(newer_failed.get_future().result(), boom);

  promise<int> stopped;
  stopped.get_future().cancel();
  promise<int> newer_stopped;
  newer_stopped.set_from(stopped.get_future());
  EXPECT_TRUE(newer_stopped.get_future().is_cancelled());
  co_return;
}

ASYNCIO_CASE(test_futures, test_set_result_unless_cancelled) {
  promise<int> source;
  source.get_future().cancel();
  promise<int> late;
  late.set_value(2);
  source.set_from(late.get_future());
  EXPECT_TRUE(source.get_future().is_cancelled());
  co_return;
}

ASYNCIO_CASE(test_futures, test_future_cancel_message_getter) {
  promise<int> source;
  auto f = source.get_future();
  f.cancel("my message");
  std::string seen;
  try {
    co_await f;
  } catch (const cancelled& reason) {
    seen = reason.what();
  }
  EXPECT_EQ(seen, "my message");
}

ASYNCIO_CASE_OF_A_RUNNER(test_futures, test_callbacks_invoked_on_set_result) {
  std::vector<std::string> calls;
  promise<std::string> source;
  auto f = source.get_future();
  f.add_done_callback([&](const future<std::string>& of) { calls.push_back(of.result() + "1"); });
  f.add_done_callback([&](const future<std::string>& of) { calls.push_back(of.result() + "2"); });
  co_await yield();
  EXPECT_TRUE(calls.empty());
  source.set_value("foo");
  EXPECT_TRUE(calls.empty());  // queued, not called
  co_await yield();
  EXPECT_EQ(calls, (std::vector<std::string>{"foo1", "foo2"}));
  // One that is added to a done future is queued at once.
  f.add_done_callback([&](const future<std::string>&) { calls.push_back("late"); });
  EXPECT_EQ(calls.size(), 2u);
  co_await yield();
  EXPECT_EQ(calls.size(), 3u);
}

ASYNCIO_CASE_OF_A_RUNNER(test_futures, test_callbacks_invoked_on_set_exception) {
  int calls = 0;
  promise<int> source;
  auto f = source.get_future();
  f.add_done_callback([&](const future<int>& of) { calls += holds<boom>(of.exception()) ? 1 : 0; });
  source.set_exception(an_error());
  co_await yield();
  EXPECT_EQ(calls, 1);
}

// removed: which of three callbacks, by the number that is their owner.
task<> remove_some(std::vector<int> removed, std::vector<int> expected) {
  std::vector<int> calls;
  const int owners[3] = {0, 1, 2};
  promise<int> source;
  auto f = source.get_future();
  for (const int& owner : owners) {
    f.add_done_callback([&](const future<int>&) { calls.push_back(owner); }, &owner);
  }
  for (const int number : removed) {
    EXPECT_EQ(f.remove_done_callbacks(&owners[number]), 1u);
  }
  source.set_value(1);
  co_await yield();
  EXPECT_EQ(calls, expected);
}

ASYNCIO_CASE_OF_A_RUNNER(test_futures, test_callbacks_remove_first_callback) {
  std::vector<int> removed{0};
  std::vector<int> expected{1, 2};
  auto work = remove_some(removed, expected);
  co_await work;
}

ASYNCIO_CASE_OF_A_RUNNER(test_futures, test_callbacks_remove_first_and_second_callback) {
  std::vector<int> removed{0, 1};
  std::vector<int> expected{2};
  auto work = remove_some(removed, expected);
  co_await work;
}

ASYNCIO_CASE_OF_A_RUNNER(test_futures, test_callbacks_remove_third_callback) {
  std::vector<int> removed{2};
  std::vector<int> expected{0, 1};
  auto work = remove_some(removed, expected);
  co_await work;
}

ASYNCIO_CASE(test_futures, test_remove_done_callback) {
  const int twice = 0;
  const int never = 0;
  promise<int> source;
  auto f = source.get_future();
  auto call = [](const future<int>&) { ADD_FAILURE() << "called"; };
  f.add_done_callback(call, &twice);
  f.add_done_callback(call, &twice);
  EXPECT_EQ(f.remove_done_callbacks(&never), 0u);
  EXPECT_EQ(f.remove_done_callbacks(&twice), 2u);
  EXPECT_EQ(f.remove_done_callbacks(&twice), 0u);
  source.set_value(1);
  co_await yield();
}

// A callback that goes takes back others, or adds one.
class takes_back {
 public:
  takes_back(future<int> of, const void* owner) : of_(of), owner_(owner) {}
  takes_back(const takes_back&) = default;
  ~takes_back() { of_.remove_done_callbacks(owner_); }
  void operator()(const future<int>&) const {}

 private:
  future<int> of_;
  const void* owner_;
};

ASYNCIO_CASE(test_futures, test_remove_done_callbacks_list_mutation) {
  const int first = 0;
  const int second = 0;
  promise<int> source;
  auto f = source.get_future();
  int calls = 0;
  f.add_done_callback(takes_back(f, &second), &first);
  f.add_done_callback([&](const future<int>&) { ++calls; }, &second);
  EXPECT_EQ(f.remove_done_callbacks(&first), 1u);
  source.set_value(1);
  co_await yield();
  EXPECT_EQ(calls, 0);
}

ASYNCIO_CASE_OF_A_RUNNER(test_futures, test_schedule_callbacks_list_mutation_1) {
  const int second = 0;
  promise<int> source;
  auto f = source.get_future();
  int calls = 0;
  f.add_done_callback([&](const future<int>& of) {
    auto same = of;
    same.remove_done_callbacks(&second);
  });
  f.add_done_callback([&](const future<int>&) { ++calls; }, &second);
  source.set_value(1);
  co_await yield();
  co_await yield();
  EXPECT_EQ(calls, 1);  // it was queued with the first one
}

}  // namespace

// What is reported needs an exception handler of the test's own, so these are not cases.
namespace {

runner_options told(error_log& log) {
  runner_options options;
  options.exception_handler = std::ref(log);
  return options;
}

TEST(test_futures, test_tb_logger_abandoned) {
  error_log log;
  runner loop(told(log));
  auto body = []() -> task<> {
    promise<int> source;
    auto f = source.get_future();
    co_return;
  };
  loop.run(body());
  EXPECT_EQ(log.size(), 0u);
}

TEST(test_futures, test_tb_logger_result_unretrieved) {
  error_log log;
  runner loop(told(log));
  auto body = []() -> task<> {
    promise<int> source;
    source.set_value(1);
    co_return;
  };
  loop.run(body());
  EXPECT_EQ(log.size(), 0u);
}

TEST(test_futures, test_tb_logger_exception_unretrieved) {
  error_log log;
  runner loop(told(log));
  auto body = []() -> task<> {
    promise<int> source;
    source.set_exception(an_error());
    co_return;
  };
  loop.run(body());
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log.at(0).message, "future exception was never retrieved");
  EXPECT_TRUE(holds<boom>(log.at(0).error));
}

TEST(test_futures, test_tb_logger_exception_retrieved) {
  error_log log;
  runner loop(told(log));
  auto body = []() -> task<> {
    promise<int> looked_at;
    looked_at.set_exception(an_error());
    EXPECT_TRUE(holds<boom>(looked_at.get_future().exception()));
    promise<int> thrown;
    thrown.set_exception(an_error());
    EXPECT_THROW(thrown.get_future().result(), boom);
    co_return;
  };
  loop.run(body());
  EXPECT_EQ(log.size(), 0u);
}

}  // namespace
}  // namespace harrier::test
