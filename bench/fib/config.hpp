// SPDX-License-Identifier: Apache-2.0
// fib: the plain doubly recursive Fibonacci number, every call a task.
//   fib                 on the numbers of workers that were asked for
//   fib_oversubscribed  on 64 workers, however few the cores
//
// Question  what does a fork and a join cost when there is nothing else to do? And when most
//           workers wait for a core, some of them with a stolen child in hand?
// Unit      ns of wall time per call of fib(), all workers together.
// Unfair    a cut-off below which a contender recurses serially; memoising; a compiler that inlines
//           some levels (only serial's does, which is what serial means).
// Sizes     HARRIER_BENCH_FIB_N: 15, 27, official 39.
#pragma once

#include "../common/contender.hpp"

#include <algorithm>
#include <cstdint>

namespace bench::fib {

inline unsigned size() { return static_cast<unsigned>(parameter("FIB_N", 15, 27, 39)); }

/// The value, in n additions.
inline std::uint64_t expected(unsigned n) {
  std::uint64_t current = 0;
  std::uint64_t next = 1;
  for (; n > 0; --n) next = std::exchange(current, next) + next;
  return current;
}

/// How many calls computing fib(n) makes, the first included.
inline double calls(unsigned n) { return 2.0 * static_cast<double>(expected(n + 1)) - 1.0; }

/// A contender's measurement, given how it computes fib(n).
template <class F>
measurement measure(F compute) {
  const unsigned n = size();
  const std::uint64_t wanted = expected(n);
  auto round = [n, wanted, compute] {
    std::uint64_t value = 0;
    const duration taken = timed([&] { value = compute(n); });
    check(value == wanted, "fib");
    return taken;
  };
  return measurement(calls(n), std::move(round)).with_warm_up([n, compute] {
    compute(std::min(n, 20u));
  });
}

}  // namespace bench::fib
