// SPDX-License-Identifier: Apache-2.0
// test_tasks: what a task is.
#include "case.hpp"

namespace harrier::test {
namespace {

ASYNCIO_CASE(test_tasks, test_task_basics) {
  auto outer = []() -> task<int> {
    auto first = sleep_then(1ms, 40);
    const int a = co_await first;
    auto second = give(2);
    const int b = co_await second;
    co_return a + b;
  };
  auto work = outer();
  EXPECT_EQ(co_await work, 42);
}

}  // namespace
}  // namespace harrier::test
