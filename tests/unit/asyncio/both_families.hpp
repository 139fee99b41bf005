// SPDX-License-Identifier: Apache-2.0
// A ported case for primitives: once for the family of all loops, once for that of one loop, whose
// suite has _local at its end. CPython's sleep(0) is a turn.
#pragma once

#include "case.hpp"
#include "unit/sync/family.hpp"

#define ASYNCIO_CASE_OF_BOTH(suite, name)                       \
  template <class Family>                                       \
  static ::harrier::task<> suite##_##name##_of();               \
  ASYNCIO_CASE_IN_ORDER(suite, name) {                          \
    auto body = suite##_##name##_of<::harrier::test::across>(); \
    co_await body;                                              \
  }                                                             \
  ASYNCIO_CASE_IN_ORDER(suite##_local, name) {                  \
    auto body = suite##_##name##_of<::harrier::test::local>();  \
    co_await body;                                              \
  }                                                             \
  template <class Family>                                       \
  static ::harrier::task<> suite##_##name##_of()
