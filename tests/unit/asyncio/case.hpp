// SPDX-License-Identifier: Apache-2.0
// CPython's asyncio tests, ported under their own names: the suite is the test file there, the case
// the test method.
//
//   ASYNCIO_CASE(test_locks, test_lock_acquire) { co_await ...; }
//
// The body is the main task. Each case runs on a lone runner with a virtual clock (lone_runner.cpp),
// and again in the simulation, on a runtime with 1 and with 4 workers under many seeds. One that
// relies on the order in which a single loop takes turns says so: ASYNCIO_CASE_IN_ORDER, which the
// simulation runs with 1 worker only.
//
// EXPECT_ only: ASSERT_ returns, which a coroutine cannot.
#pragma once

#include <harrier/runner.hpp>

#include "unit/support.hpp"

namespace harrier::test {

enum class turns {
  any,  ///< right whatever worker runs what
  in_order,  ///< relies on tasks taking turns on one loop
  of_a_runner,  ///< relies on a callback coming before the task that yielded after it: a runner's turns
};

/// Runs one case, in the way of the program that it is linked into.
void run_case(task<> (*body)(), turns needs);

}  // namespace harrier::test

#define HARRIER_ASYNCIO_CASE(suite, name, needs)                           \
  static ::harrier::task<> suite##_##name();                               \
  TEST(suite, name) { ::harrier::test::run_case(&suite##_##name, needs); } \
  static ::harrier::task<> suite##_##name()

#define ASYNCIO_CASE(suite, name) HARRIER_ASYNCIO_CASE(suite, name, ::harrier::test::turns::any)
#define ASYNCIO_CASE_IN_ORDER(suite, name) \
  HARRIER_ASYNCIO_CASE(suite, name, ::harrier::test::turns::in_order)
#define ASYNCIO_CASE_OF_A_RUNNER(suite, name) \
  HARRIER_ASYNCIO_CASE(suite, name, ::harrier::test::turns::of_a_runner)
