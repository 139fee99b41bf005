// SPDX-License-Identifier: Apache-2.0
// test_tasks: contexts. test_context_2 is about a task's done callbacks, which a join_handle has none
// of; a future's are callbacks of the loop (context.a_callback_runs_in_a_copy...).
#include "case.hpp"

#include <string>
#include <vector>

namespace harrier::test {
namespace {

const context_var<std::string>& cvar() {
  static const context_var<std::string> variable("cvar", "nope");
  return variable;
}

task<> sub() {
  co_await sleep_for(10ms);
  EXPECT_EQ(cvar().get(), "nope");
  cvar().set("something else");
}

ASYNCIO_CASE(test_tasks, test_context_1) {
  EXPECT_EQ(cvar().get(), "nope");
  auto subtask = spawn(sub());
  cvar().set("yes");
  EXPECT_EQ(cvar().get(), "yes");
  co_await subtask;
  EXPECT_EQ(cvar().get(), "yes");
}

ASYNCIO_CASE(test_tasks, test_context_3) {
  // Many tasks that change the variable do not disturb each other.
  static const context_var<int> number("number", -1);
  auto one = [](int turns) -> task<> {
    for (int turn = 0; turn < turns; ++turn) {
      number.set(turn);
      co_await sleep_for(1ms);
      EXPECT_EQ(number.get(), turn);
    }
  };
  std::vector<join_handle<void>> all;
  for (int n = 0; n < 100; ++n) {
    all.push_back(spawn(one(n % 10)));
  }
  for (auto& each : all) {
    co_await each;
  }
  EXPECT_EQ(number.get(), -1);
}

task<> set_and_read(std::string expected, std::string next) {
  co_await sleep_for(1ms);
  EXPECT_EQ(cvar().get(), expected);
  cvar().set(std::move(next));
}

ASYNCIO_CASE(test_tasks, test_context_4) {
  const context shared;
  auto first = spawn(set_and_read("nope", "one"), shared);
  co_await first;
  auto second = spawn(set_and_read("one", "two"), shared);
  co_await second;
  EXPECT_EQ(cvar().get_if_set(shared), std::optional<std::string>("two"));
  EXPECT_EQ(cvar().get(), "nope");
}

ASYNCIO_CASE(test_tasks, test_context_5) {
  // The same by way of the loop.
  const context shared;
  auto first = this_loop().spawn(set_and_read("nope", "one"), shared, "first");
  co_await first;
  auto second = this_loop().spawn(set_and_read("one", "two"), shared, "second");
  co_await second;
  EXPECT_EQ(cvar().get_if_set(shared), std::optional<std::string>("two"));
}

ASYNCIO_CASE(test_tasks, test_context_6) {
  // A copy of the present context, given on.
  cvar().set("mine");
  const context shared = context::current();
  auto first = spawn(set_and_read("mine", "one"), shared);
  co_await first;
  EXPECT_EQ(cvar().get_if_set(shared), std::optional<std::string>("one"));
  EXPECT_EQ(cvar().get(), "mine");
}

ASYNCIO_CASE(test_tasks, test_get_context) {
  // A task reports its context itself: from outside it would be a race.
  const context given;
  auto report = []() -> task<context> {
    cvar().set("reported");
    co_return context::current();
  };
  auto handle = spawn(report(), given);
  const context reported = co_await handle;
  EXPECT_EQ(cvar().get_if_set(reported), std::optional<std::string>("reported"));
  EXPECT_EQ(cvar().get_if_set(given), std::optional<std::string>("reported"));
}

}  // namespace
}  // namespace harrier::test
