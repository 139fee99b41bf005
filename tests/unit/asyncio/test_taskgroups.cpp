// SPDX-License-Identifier: Apache-2.0
// test_taskgroups: tasks that belong together.
//
// Left out: test_taskgroup_20 and _21 (a KeyboardInterrupt that leaves the loop from inside a task: C++ has
// no fatal exceptions, rule R32; with an exception of one's own they are _20a and _21a).
#include <harrier/task_group.hpp>

#include "ending.hpp"

#include <optional>
#include <vector>

namespace harrier::test {
namespace {

/// Sleeps, and counts the cancel that ends the sleep.
task<> sleeps_and_counts(duration time, std::atomic<int>& cancels, int by) {
  try {
    co_await sleep_for(time);
  } catch (const cancelled&) {
    cancels += by;
    throw;
  }
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_01) {
  std::optional<join_handle<int>> t1;
  std::optional<join_handle<int>> t2;
  auto body = [&](task_group& group) -> task<> {
    t1 = group.spawn(sleep_then(100ms, 42));
    t2 = group.spawn(sleep_then(200ms, 11));
    co_return;
  };
  auto op = with_task_group(body);
  co_await op;
  EXPECT_TRUE(t1->done());
  EXPECT_TRUE(t2->done());
  EXPECT_EQ(co_await *t1, 42);
  EXPECT_EQ(co_await *t2, 11);
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_02) {
  std::optional<join_handle<int>> t1;
  std::optional<join_handle<int>> t2;
  auto body = [&](task_group& group) -> task<> {
    t1 = group.spawn(sleep_then(100ms, 42));
    co_await sleep_for(150ms);
    t2 = group.spawn(sleep_then(200ms, 11));
  };
  auto op = with_task_group(body);
  co_await op;
  EXPECT_EQ(co_await *t1, 42);
  EXPECT_EQ(co_await *t2, 11);
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_03) {
  std::optional<join_handle<int>> t1;
  std::optional<join_handle<int>> t2;
  auto body = [&](task_group& group) -> task<> {
    t1 = group.spawn(sleep_then(1s, 42));
    co_await sleep_for(150ms);
    t1->cancel();  // by hand: the group goes on
    t2 = group.spawn(sleep_then(200ms, 11));
  };
  auto op = with_task_group(body);
  co_await op;
  auto how = ending_of(*t1);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_EQ(co_await *t2, 11);
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_04) {
  std::atomic<int> cancels{0};
  bool went_on = false;
  std::optional<join_handle<void>> t2;
  auto body = [&](task_group& group) -> task<> {
    group.start(throws_after(100ms, "zero"));
    t2 = group.spawn(sleeps_and_counts(1s, cancels, 1));
    co_return;
  };
  auto whole = [&]() -> task<> {
    auto op = with_task_group(body);
    co_await op;
    went_on = true;
  };
  auto handle = spawn(whole());
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "zero");
  EXPECT_FALSE(went_on);
  EXPECT_EQ(cancels, 1);
  auto how = ending_of(*t2);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE(test_taskgroups, test_cancel_children_on_child_error) {
  std::atomic<int> child_cancels{0};
  std::atomic<int> body_cancels{0};
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i < 3; ++i) group.start(throws_after(100ms, "zero"));
    group.start(sleeps_and_counts(5s, child_cancels, 1));
    auto sleeps = sleeps_and_counts(10s, body_cancels, 1);
    co_await sleeps;
  };
  auto handle = spawn(with_task_group(body));
  auto errors = group_of(handle);
  const std::string found = co_await errors;
  EXPECT_EQ(found.substr(0, 4), "zero") << "the first; the others too, unless they were cancelled";
  EXPECT_EQ(found.find("group"), std::string::npos);
  EXPECT_EQ(child_cancels, 1);
  EXPECT_EQ(body_cancels, 1);
}

ASYNCIO_CASE(test_taskgroups, test_cancellation) {
  std::atomic<int> cancels{0};
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i < 5; ++i) group.start(sleeps_and_counts(5s, cancels, 1));
    co_return;
  };
  auto handle = spawn(with_task_group(body));
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel("test");
  std::string message;
  try {
    co_await handle;
  } catch (const cancelled& reason) {
    message = reason.what();
  }
  EXPECT_EQ(message, "test");
  EXPECT_EQ(cancels, 5);
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_07) {
  std::atomic<int> cancels{0};
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i < 5; ++i) group.start(sleeps_and_counts(5s, cancels, 1));
    auto sleeps = sleeps_and_counts(10s, cancels, 10);
    co_await sleeps;
  };
  auto handle = spawn(with_task_group(body));
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_EQ(cancels, 15);
}

ASYNCIO_CASE_IN_ORDER(test_taskgroups, test_taskgroup_08) {
  // The outside cancel and the failures come in one turn: the group wins. The children that were ready
  // to fail as well are cancelled first.
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i < 5; ++i) group.start(throws_after(100ms, "zero"));
    co_await sleep_for(10s);
  };
  auto handle = spawn(with_task_group(body));
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "zero");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_09) {
  std::optional<join_handle<int>> t1;
  std::optional<join_handle<int>> t2;
  auto body = [&](task_group& group) -> task<> {
    t1 = group.spawn(sleep_then(1s, 42));
    t2 = group.spawn(sleep_then(2s, 11));
    co_await sleep_for(100ms);
    throw boom("zero");
  };
  auto op = with_task_group(body);
  auto errors = group_of(op);
  EXPECT_EQ(co_await errors, "zero");
  auto how1 = ending_of(*t1);
  EXPECT_EQ(co_await how1, "cancelled");
  auto how2 = ending_of(*t2);
  EXPECT_EQ(co_await how2, "cancelled");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_10) {
  std::optional<join_handle<int>> t1;
  std::optional<join_handle<int>> t2;
  auto body = [&](task_group& group) -> task<> {
    t1 = group.spawn(sleep_then(1s, 42));
    t2 = group.spawn(sleep_then(2s, 11));
    throw boom("zero");
    co_return;
  };
  auto op = with_task_group(body);
  auto errors = group_of(op);
  EXPECT_EQ(co_await errors, "zero");
  auto how1 = ending_of(*t1);
  EXPECT_EQ(co_await how1, "cancelled");
  auto how2 = ending_of(*t2);
  EXPECT_EQ(co_await how2, "cancelled");
}

/// Five children that fail at 100ms, and a body that sleeps.
task<> failing_group() {
  auto body = [](task_group& group) -> task<> {
    for (int i = 0; i < 5; ++i) group.start(throws_after(100ms, "zero"));
    co_await sleep_for(10s);
  };
  auto op = with_task_group(body);
  co_await op;
}

ASYNCIO_CASE_IN_ORDER(test_taskgroups, test_taskgroup_11) {
  auto outer = [](task_group&) -> task<> {
    auto inner = failing_group();
    co_await inner;
  };
  auto handle = spawn(with_task_group(outer));
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "group");
}

ASYNCIO_CASE_IN_ORDER(test_taskgroups, test_taskgroup_12) {
  auto outer = [](task_group& group) -> task<> {
    group.start(sleep_then(10s, 0));
    auto inner = failing_group();
    co_await inner;
  };
  auto handle = spawn(with_task_group(outer));
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "group");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_13) {
  auto outer = [](task_group& group) -> task<> {
    group.start(throws_after(100ms, "early"));
    auto inner = [](task_group& nested) -> task<> {
      nested.start(throws_after(10s, "late"));
      co_return;
    };
    auto op = with_task_group(inner);
    co_await op;
  };
  auto handle = spawn(with_task_group(outer));
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "early");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_14) {
  auto outer = [](task_group& group) -> task<> {
    group.start(throws_after(10s, "late"));
    auto inner = [](task_group& nested) -> task<> {
      nested.start(throws_after(100ms, "early"));
      co_return;
    };
    auto op = with_task_group(inner);
    co_await op;
  };
  auto handle = spawn(with_task_group(outer));
  std::string inner_error;
  int matching = 0;
  try {
    co_await handle;
  } catch (const exception_group& group) {
    EXPECT_EQ(group.size(), 1u);
    EXPECT_TRUE(holds<exception_group>(group.errors().at(0)));
    group.for_each<boom>([&](const boom& error) {
      ++matching;
      inner_error = error.what();
    });
  }
  EXPECT_EQ(matching, 1);
  EXPECT_EQ(inner_error, "early");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_15) {
  auto body = [](task_group& group) -> task<> {
    group.start(throws_after(300ms, "zero"));
    bool was_cancelled = false;
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    co_await sleep_for(500ms);  // the child fails meanwhile, and this is cancelled
    throw cancelled();
  };
  auto handle = spawn(with_task_group(body));
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "zero");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_16) {
  auto nested = []() -> task<> {
    auto body = [](task_group& group) -> task<> {
      group.start(throws_after(300ms, "zero"));
      bool was_cancelled = false;
      try {
        co_await sleep_for(10s);
      } catch (const cancelled&) {
        was_cancelled = true;
      }
      EXPECT_TRUE(was_cancelled);
      co_await sleep_for(500ms);
      throw cancelled();
    };
    auto op = with_task_group(body);
    co_await op;
  };
  auto whole = [&]() -> task<> {
    auto t = spawn(nested());
    co_await t;
  };
  auto handle = spawn(whole());
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "zero");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_17) {
  std::atomic<int> cancels{0};
  auto body = [&](task_group&) -> task<> {
    auto sleeps = sleeps_and_counts(10s, cancels, 10);
    co_await sleeps;
  };
  auto handle = spawn(with_task_group(body));
  co_await sleep_for(100ms);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
  EXPECT_EQ(cancels, 10);
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_18) {
  auto body = [&](task_group&) -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      throw boom("instead");
    }
  };
  auto handle = spawn(with_task_group(body));
  co_await sleep_for(100ms);
  handle.cancel();
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "instead");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_19) {
  auto body = [&](task_group& group) -> task<> {
    group.start(throws_after(100ms, "zero"));
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      throw boom("nested");
    }
  };
  auto handle = spawn(with_task_group(body));
  auto errors = group_of(handle);
  EXPECT_EQ(co_await errors, "zero,nested");
}

/// Derived from nothing, as MyBaseExc is not from Exception.
class base_exception {};

std::string name_of(const std::exception_ptr& error) {
  return holds<base_exception>(error) ? "base" : text_of(error);
}

/// The names of the errors in the group that the body ends with.
task<std::string> names_of(join_handle<void>& work) {
  std::string names = "none";
  try {
    co_await work;
  } catch (const exception_group& group) {
    names.clear();
    for (const std::exception_ptr& each : group.errors()) names += name_of(each) + ";";
  }
  co_return names;
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_20a) {
  auto nested = []() -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      throw base_exception();
    }
  };
  auto body = [&](task_group& group) -> task<> {
    group.start(throws_after(100ms, "zero"));
    auto op = nested();
    co_await op;
  };
  auto handle = spawn(with_task_group(body));
  auto names = names_of(handle);
  EXPECT_EQ(co_await names, "zero;base;");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_21a) {
  auto crash_soon = []() -> task<> {
    co_await sleep_for(100ms);
    throw base_exception();
  };
  auto nested = []() -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      throw boom("type");
    }
  };
  auto body = [&](task_group& group) -> task<> {
    group.start(crash_soon());
    auto op = nested();
    co_await op;
  };
  auto handle = spawn(with_task_group(body));
  auto names = names_of(handle);
  EXPECT_EQ(co_await names, "base;type;");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_22) {
  auto body = [&](task_group& group) -> task<> {
    group.start(sleep_then(1s, 42));
    group.start(sleep_then(2s, 11));
    co_return;
  };
  auto handle = spawn(with_task_group(body));
  co_await sleep_for(50ms);
  handle.cancel();
  auto how = ending_of(handle);
  EXPECT_EQ(co_await how, "cancelled");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_23) {
  auto body = [&](task_group& group) -> task<> {
    for (int count = 0; count < 10; ++count) {
      co_await sleep_for(100ms);
      group.start(sleep_then(300ms, 0));
      if (count == 5) {
        EXPECT_LT(group.size(), 5u);
      }
    }
    co_await sleep_for(1350ms);
    EXPECT_EQ(group.size(), 0u);
  };
  auto op = with_task_group(body);
  co_await op;
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_24) {
  std::atomic<int> ended{0};
  auto grandchild = [&](duration delay) -> task<> {
    co_await sleep_for(delay);
    ++ended;
  };
  auto child = [&](task_group& group) -> task<> {
    co_await sleep_for(100ms);
    group.start(grandchild(100ms));
    group.start(grandchild(200ms));
  };
  auto body = [&](task_group& group) -> task<> {
    group.start(child(group));
    co_return;
  };
  auto op = with_task_group(body);
  co_await op;
  EXPECT_EQ(ended, 2);
}

task<> hydra(task_group& group, std::atomic<int>& heads) {
  if (++heads > 100'000) co_return;  // somebody has come by then; clang sees no other way out
  co_await sleep_for(10ms);
  group.start(hydra(group, heads));
  group.start(hydra(group, heads));
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_25) {
  std::atomic<int> heads{0};
  auto hercules = [&]() -> task<> {
    while (heads < 10) co_await sleep_for(15ms);
    throw boom("zero");
  };
  auto body = [&](task_group& group) -> task<> {
    group.start(hydra(group, heads));
    group.start(hercules());
    co_return;
  };
  auto op = with_task_group(body);
  int zeros = 0;
  try {
    co_await op;
  } catch (const exception_group& group) {
    // A head that was just about to grow is refused: its error is in the group, too.
    group.for_each<boom>([&](const boom&) { ++zeros; });
  }
  EXPECT_EQ(zeros, 1);
  EXPECT_GE(heads, 10);
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_task_name) {
  auto body = [&](task_group& group) -> task<> {
    auto child = group.spawn(sleep_then(0s, 0), "yolo");
    EXPECT_EQ(child.ref().name(), "yolo");
    co_await child;
  };
  auto op = with_task_group(body);
  co_await op;
}

/// What a misuse says.
template <class Misuse>
std::string refusal(Misuse misuse) {
  try {
    misuse();
  } catch (const task_group_misuse& error) {
    return error.what();
  }
  return {};
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_already_entered) {
  task_group group;
  auto nothing = [](task_group&) -> task<> { co_return; };
  auto body = [&](task_group& same) -> task<> {
    auto again = same.run(nothing);
    auto how = ending_of(again);
    EXPECT_EQ(co_await how, "task_group has already been entered");
  };
  auto op = group.run(body);
  co_await op;
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_double_enter) {
  task_group group;
  auto nothing = [](task_group&) -> task<> { co_return; };
  auto once = group.run(nothing);
  co_await once;
  auto twice = group.run(nothing);
  auto how = ending_of(twice);
  EXPECT_EQ(co_await how, "task_group has already been entered");
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_finished) {
  task_group group;
  auto nothing = [](task_group&) -> task<> { co_return; };
  auto once = group.run(nothing);
  co_await once;
  bool started = false;
  const std::string said = refusal([&] { group.start(hold(tracked(), started)); });
  EXPECT_EQ(said, "task_group is finished");
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0) << "the refused task is freed";
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_not_entered) {
  task_group group;
  bool started = false;
  const std::string said = refusal([&] { group.start(hold(tracked(), started)); });
  EXPECT_EQ(said, "task_group has not been entered");
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0) << "the refused task is freed";
  co_return;
}

ASYNCIO_CASE(test_taskgroups, test_coro_closed_when_tg_closed) {
  bool started = false;
  auto body = [&](task_group& group) -> task<> {
    group.start(throws_now("zero"));
    bool was_cancelled = false;
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    const std::string said = refusal([&] { group.start(hold(tracked(), started)); });
    EXPECT_EQ(said, "task_group is shutting down");
  };
  auto op = with_task_group(body);
  auto errors = group_of(op);
  EXPECT_EQ(co_await errors, "zero");
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
}

ASYNCIO_CASE(test_taskgroups, test_taskgroup_no_create_task_after_failure) {
  auto body = [&](task_group& group) -> task<> {
    group.start(throws_after(10ms, "zero"));
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {  // the group's
    }
    group.start(sleep_then(0s, 1));
  };
  auto op = with_task_group(body);
  auto errors = group_of(op);
  EXPECT_EQ(co_await errors, "zero,task_group is shutting down");
}

ASYNCIO_CASE(test_taskgroups, test_cancelling_level_preserved) {
  auto body = [](task_group& group) -> task<> {
    group.start(throws_now("zero"));
    co_await sleep_for(10s);
  };
  auto op = with_task_group(body);
  auto errors = group_of(op);
  EXPECT_EQ(co_await errors, "zero");
  const task_ref self = co_await current_task();
  EXPECT_EQ(self.cancelling(), 0u);
  co_await yield();  // nothing is due
}

ASYNCIO_CASE_IN_ORDER(test_taskgroups, test_nested_groups_both_cancelled) {
  auto inner = [](task_group& group) -> task<> {
    group.start(throws_now("inner"));
    co_await sleep_for(10s);
  };
  auto outer = [&](task_group& group) -> task<> {
    group.start(throws_now("outer"));
    auto op = with_task_group(inner);
    co_await op;
  };
  auto op = with_task_group(outer);
  int inner_errors = 0;
  int outer_errors = 0;
  try {
    co_await op;
  } catch (const exception_group& group) {
    group.for_each<boom>([&](const boom& error) {
      (std::string(error.what()) == "inner" ? inner_errors : outer_errors) += 1;
    });
  }
  EXPECT_EQ(outer_errors, 1);
  EXPECT_LE(inner_errors, 1) << "the inner child may have been cancelled before its first step";
  const task_ref self = co_await current_task();
  EXPECT_EQ(self.cancelling(), 0u);
  co_await yield();
}

// 3.13: the outside cancel is due again after the group of errors.
ASYNCIO_CASE_IN_ORDER(test_taskgroups, test_error_and_cancel) {
  auto group_body = [](task_group& group) -> task<> {
    group.start(throws_after(100ms, "zero"));
    co_await sleep_for(10s);
  };
  std::string first;
  std::string second;
  auto whole = [&]() -> task<> {
    auto op = with_task_group(group_body);
    auto how = ending_of(op);
    first = co_await how;
    try {
      co_await sleep_for(1s);
    } catch (const cancelled&) {
      second = "cancelled";
    }
  };
  auto handle = spawn(whole());
  co_await sleep_for(100ms);
  handle.cancel();
  co_await handle;
  EXPECT_EQ(first, "group");
  EXPECT_EQ(second, "cancelled");
  EXPECT_EQ(handle.cancelling(), 1u);
}

// A child that was spawned and not started when the group cancels never runs, and is freed (G10).
ASYNCIO_CASE_IN_ORDER(test_taskgroups, test_child_created_then_group_aborts) {
  bool started = false;
  auto body = [&](task_group& group) -> task<> {
    group.start(hold(tracked(), started));
    throw boom("zero");
    co_return;
  };
  auto op = with_task_group(body);
  auto errors = group_of(op);
  EXPECT_EQ(co_await errors, "zero");
  EXPECT_FALSE(started);
  EXPECT_EQ(tracked::alive(), 0);
}

}  // namespace
}  // namespace harrier::test
