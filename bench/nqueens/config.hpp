// SPDX-License-Identifier: Apache-2.0
// nqueens: counts the ways to place n queens by trying every legal column of the next row, one task
// per legal column.
//
// Question  how do irregular trees with a little work in every node and a varying number of
//           children fare?
// Unit      ns of wall time per solution found, all workers together.
// Unfair    another board or legality test (all use place() below), a cut-off to serial code.
// Sizes     HARRIER_BENCH_NQUEENS: 8, 11, official 14. Boards have a compile-time size, so only
// these.
#pragma once

#include "../common/contender.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>

namespace bench::nqueens {

template <int N>
using board = std::array<char, N>;

/// The columns of row `row` that the queens above it leave free. Found by code that is not inlined,
/// so that every contender runs the same.
template <int N>
class columns {
 public:
  [[gnu::noinline]] columns(const board<N>& queens, int row) {
    for (int column = 0; column < N; ++column) {
      if (is_free(queens, row, column)) free_[count_++] = static_cast<char>(column);
    }
  }
  std::size_t count() const { return count_; }
  char operator[](std::size_t i) const { return free_[i]; }

 private:
  static bool is_free(const board<N>& queens, int row, int column) {
    for (int above = 0; above < row; ++above) {
      const int queen = queens[static_cast<std::size_t>(above)];
      const int distance = row - above;
      if (queen == column || queen == column - distance || queen == column + distance) return false;
    }
    return true;
  }

  std::size_t count_ = 0;
  board<N> free_;
};

/// `queens` with one more.
template <int N>
board<N> place(board<N> queens, int row, char column) {
  queens[static_cast<std::size_t>(row)] = column;
  return queens;
}

/// A contender's measurement; count.template operator()<N>() counts the solutions for N queens.
template <int N, class F>
measurement measure_board(std::uint64_t solutions, F count) {
  auto round = [solutions, count] {
    std::uint64_t found = 0;
    const duration taken = timed([&] { found = count.template operator()<N>(); });
    check(found == solutions, "nqueens");
    return taken;
  };
  return measurement(static_cast<double>(solutions), std::move(round)).with_warm_up([count] {
    count.template operator()<8>();
  });
}

template <class F>
measurement measure(F count) {
  switch (parameter("NQUEENS", 8, 11, 14)) {
    case 8:
      return measure_board<8>(92, std::move(count));
    case 11:
      return measure_board<11>(2680, std::move(count));
    case 14:
      return measure_board<14>(365596, std::move(count));
  }
  check(false, "HARRIER_BENCH_NQUEENS must be 8, 11 or 14");
  std::abort();
}

}  // namespace bench::nqueens
