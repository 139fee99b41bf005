// SPDX-License-Identifier: Apache-2.0
// test_timeouts: a limit on time, as a scope.
#include <harrier/timeout.hpp>

#include "case.hpp"

#include <memory>
#include <optional>

namespace harrier::test {
namespace {

/// Whether awaiting the scope's operation threw timed_out.
template <class T>
task<bool> times_out(task<T> work) {
  bool out = false;
  try {
    co_await work;
  } catch (const timed_out&) {
    out = true;
  }
  co_return out;
}

task<> sleeps(duration time) { co_await sleep_for(time); }
task<> yields() { co_await yield(); }

ASYNCIO_CASE(test_timeouts, test_timeout_basic) {
  timeout_scope scope(10ms);
  auto op = times_out(scope.run(sleeps(10s)));
  EXPECT_TRUE(co_await op);
  EXPECT_TRUE(scope.expired());
}

ASYNCIO_CASE(test_timeouts, test_timeout_at_basic) {
  const time_point deadline = this_loop().now() + 10ms;
  auto scope = timeout_scope::at(deadline);
  auto op = times_out(scope.run(sleeps(10s)));
  EXPECT_TRUE(co_await op);
  EXPECT_TRUE(scope.expired());
  EXPECT_EQ(scope.when(), deadline);
}

ASYNCIO_CASE(test_timeouts, test_nested_timeouts) {
  bool was_cancelled = false;
  const time_point deadline = this_loop().now() + 10ms;
  auto outer = timeout_scope::at(deadline);
  auto inner = timeout_scope::at(deadline);
  auto body = [&]() -> task<> {
    auto op = inner.run(sleeps(10s));
    try {
      co_await op;
    } catch (const cancelled&) {  // only the outermost throws timed_out
      was_cancelled = true;
      throw;
    }
  };
  auto op = times_out(outer.run(body()));
  EXPECT_TRUE(co_await op);
  EXPECT_TRUE(was_cancelled);
  EXPECT_TRUE(outer.expired());
  EXPECT_TRUE(inner.expired());
  const task_ref self = co_await current_task();
  EXPECT_EQ(self.cancelling(), 0u);
  co_await yield();  // nothing is due any more
}

ASYNCIO_CASE(test_timeouts, test_waiter_cancelled) {
  bool was_cancelled = false;
  timeout_scope scope(10ms);
  auto body = [&]() -> task<> {
    try {
      co_await sleep_for(10s);
    } catch (const cancelled&) {
      was_cancelled = true;
      throw;
    }
  };
  auto op = times_out(scope.run(body()));
  EXPECT_TRUE(co_await op);
  EXPECT_TRUE(was_cancelled);
}

ASYNCIO_CASE(test_timeouts, test_timeout_not_called) {
  timeout_scope scope(10s);
  auto op = times_out(scope.run(sleeps(10ms)));
  EXPECT_FALSE(co_await op);
  EXPECT_FALSE(scope.expired());
  EXPECT_GT(scope.when(), this_loop().now());
}

ASYNCIO_CASE(test_timeouts, test_timeout_disabled) {
  timeout_scope scope;
  auto op = times_out(scope.run(sleeps(10ms)));
  EXPECT_FALSE(co_await op);
  EXPECT_FALSE(scope.expired());
  EXPECT_EQ(scope.when(), std::nullopt);
}

ASYNCIO_CASE(test_timeouts, test_timeout_at_disabled) {
  auto scope = timeout_scope::at(time_point::max());
  auto op = times_out(scope.run(sleeps(10ms)));
  EXPECT_FALSE(co_await op);
  EXPECT_FALSE(scope.expired());
  EXPECT_EQ(scope.when(), std::nullopt);
}

ASYNCIO_CASE(test_timeouts, test_timeout_zero) {
  const time_point before = this_loop().now();
  timeout_scope scope(0s);
  auto op = times_out(scope.run(sleeps(10s)));
  EXPECT_TRUE(co_await op);
  EXPECT_TRUE(scope.expired());
  EXPECT_GE(scope.when(), before);
  EXPECT_LE(scope.when(), this_loop().now());
}

ASYNCIO_CASE(test_timeouts, test_timeout_zero_sleep_zero) {
  timeout_scope scope(0s);
  auto op = times_out(scope.run(yields()));
  EXPECT_TRUE(co_await op);
  EXPECT_TRUE(scope.expired());
}

ASYNCIO_CASE(test_timeouts, test_timeout_in_the_past_sleep_zero) {
  timeout_scope scope(-11s);
  auto op = times_out(scope.run(yields()));
  EXPECT_TRUE(co_await op);
  EXPECT_TRUE(scope.expired());
}

ASYNCIO_CASE(test_timeouts, test_foreign_exception_passed) {
  timeout_scope scope(10ms);
  auto op = scope.run(throw_boom());
  bool thrown = false;
  try {
    co_await op;
  } catch (const boom&) {
    thrown = true;
  }
  EXPECT_TRUE(thrown);
  EXPECT_FALSE(scope.expired());
}

ASYNCIO_CASE(test_timeouts, test_foreign_exception_on_timeout) {
  auto crash = []() -> task<> {
    try {
      co_await sleep_for(1s);
    } catch (const cancelled&) {
      throw boom();
    }
  };
  timeout_scope scope(10ms);
  auto op = scope.run(crash());
  bool thrown = false;
  try {
    co_await op;
  } catch (const boom&) {
    thrown = true;
  }
  EXPECT_TRUE(thrown);
  EXPECT_TRUE(scope.expired());
}

ASYNCIO_CASE(test_timeouts, test_foreign_cancel_doesnt_timeout_if_not_expired) {
  timeout_scope scope(10s);
  const task_ref self = co_await current_task();
  auto body = [&]() -> task<> {
    self.cancel();
    co_await sleep_for(10s);
  };
  auto op = scope.run(body());
  bool was_cancelled = false;
  try {
    co_await op;
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  EXPECT_TRUE(was_cancelled);
  EXPECT_FALSE(scope.expired());
  EXPECT_EQ(self.uncancel(), 0u);
}

ASYNCIO_CASE(test_timeouts, test_outer_task_is_not_cancelled) {
  auto outer = []() -> task<> {
    timeout_scope scope(1ms);
    auto op = times_out(scope.run(sleeps(10s)));
    EXPECT_TRUE(co_await op);
  };
  auto handle = spawn(outer());
  co_await handle;  // throws nothing
  EXPECT_TRUE(handle.done());
}

ASYNCIO_CASE(test_timeouts, test_reschedule) {
  const time_point first = this_loop().now() + 10s;
  const time_point second = first + 20s;
  auto scope = timeout_scope::at(first);
  auto body = [&]() -> task<> {
    auto op = scope.run(sleeps(50s));
    co_await op;
  };
  auto handle = spawn(body());
  while (!handle.done()) {  // until it has entered the scope
    bool entered = true;
    try {
      scope.reschedule(first);
    } catch (const timeout_misuse&) {
      entered = false;
    }
    if (entered) break;
    co_await yield();
  }
  EXPECT_EQ(scope.when(), first);
  scope.reschedule(second);
  EXPECT_EQ(scope.when(), second);
  scope.reschedule(std::nullopt);
  EXPECT_EQ(scope.when(), std::nullopt);
  handle.cancel();
  bool was_cancelled = false;
  try {
    co_await handle;
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  EXPECT_TRUE(was_cancelled);
  EXPECT_FALSE(scope.expired());
}

ASYNCIO_CASE(test_timeouts, test_nested_timeout_in_finally) {
  timeout_scope scope(10ms);
  auto body = []() -> task<> {
    bool was_cancelled = false;
    try {
      co_await sleep_for(1s);
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    EXPECT_TRUE(was_cancelled);
    timeout_scope cleanup(10ms);
    auto op = times_out(cleanup.run(sleeps(10s)));
    EXPECT_TRUE(co_await op);
    throw cancelled();  // the finally goes on with it
  };
  auto op = times_out(scope.run(body()));
  EXPECT_TRUE(co_await op);
}

ASYNCIO_CASE(test_timeouts, test_timeout_after_cancellation) {
  const task_ref self = co_await current_task();
  self.cancel();
  try {
    co_await sleep_for(1s);
  } catch (const cancelled&) {  // and not taken back
  }
  timeout_scope scope(0s);
  auto op = times_out(scope.run(sleeps(1s)));
  EXPECT_TRUE(co_await op);
  EXPECT_EQ(self.cancelling(), 1u);
  EXPECT_EQ(self.uncancel(), 0u);
}

ASYNCIO_CASE(test_timeouts, test_cancel_in_timeout_after_cancellation) {
  const task_ref self = co_await current_task();
  self.cancel();
  try {
    co_await sleep_for(1s);
  } catch (const cancelled&) {  // and not taken back
  }
  timeout_scope scope(1s);
  auto body = [&]() -> task<> {
    self.cancel();
    co_await sleep_for(2s);
  };
  auto op = scope.run(body());
  bool was_cancelled = false;
  try {
    co_await op;
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  EXPECT_TRUE(was_cancelled);
  self.uncancel();
  EXPECT_EQ(self.uncancel(), 0u);
}

ASYNCIO_CASE(test_timeouts, test_timeout_already_entered) {
  timeout_scope scope(10ms);
  auto body = [&]() -> task<> {
    auto again = scope.run(yields());
    std::string text;
    try {
      co_await again;
    } catch (const timeout_misuse& misuse) {
      text = misuse.what();
    }
    EXPECT_NE(text.find("has already been entered"), std::string::npos);
  };
  auto op = scope.run(body());
  co_await op;
}

ASYNCIO_CASE(test_timeouts, test_timeout_double_enter) {
  timeout_scope scope(10ms);
  auto once = scope.run(yields());
  co_await once;
  auto again = scope.run(yields());
  std::string text;
  try {
    co_await again;
  } catch (const timeout_misuse& misuse) {
    text = misuse.what();
  }
  EXPECT_NE(text.find("has already been entered"), std::string::npos);
}

/// What reschedule() says.
std::string refusal(timeout_scope& scope) {
  try {
    scope.reschedule(time_point{} + 1h);
  } catch (const timeout_misuse& misuse) {
    return misuse.what();
  }
  return {};
}

ASYNCIO_CASE(test_timeouts, test_timeout_finished) {
  timeout_scope scope(10ms);
  auto op = scope.run(yields());
  co_await op;
  EXPECT_EQ(refusal(scope), "timeout_scope is finished");
}

ASYNCIO_CASE(test_timeouts, test_timeout_expired) {
  timeout_scope scope(10ms);
  std::string inside;
  auto body = [&]() -> task<> {
    try {
      co_await sleep_for(1s);
    } catch (const cancelled&) {
      inside = refusal(scope);
      throw;
    }
  };
  auto op = times_out(scope.run(body()));
  EXPECT_TRUE(co_await op);
  EXPECT_EQ(inside, "timeout_scope is expiring");
  EXPECT_EQ(refusal(scope), "timeout_scope has expired");
}

ASYNCIO_CASE(test_timeouts, test_timeout_not_entered) {
  timeout_scope scope(10ms);
  EXPECT_EQ(refusal(scope), "timeout_scope has not been entered");
  co_return;
}

}  // namespace
}  // namespace harrier::test
