// SPDX-License-Identifier: Apache-2.0
// awaited_child: one coroutine awaits trivial children, one after the other, in place.
//
// Question  what does it cost to write a function as a coroutine: frame, start, return of the value?
// Unit      ns of wall time per child, on one thread.
// Unfair    a compiler that elides the child's frame or inlines the function (the child is opaque in
//           every contender). oneTBB has no coroutines; the nearest is one task run and waited for.
// Sizes     HARRIER_BENCH_AWAITED_CHILD_N: 1000, 1000000, official 10000000 children a round.
#pragma once

#include "../common/contender.hpp"

#include <cstdint>

namespace bench::awaited_child {

/// A contender's measurement; sum(n) adds up the values of children 0 .. n - 1.
template <class F>
measurement measure(F sum) {
  const std::uint64_t n = parameter("AWAITED_CHILD_N", 1'000, 1'000'000, 10'000'000);
  return checked("awaited_child", n, n * (n - 1) / 2, std::move(sum));
}

}  // namespace bench::awaited_child
