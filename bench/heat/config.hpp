// SPDX-License-Identifier: Apache-2.0
// heat: Jacobi iteration on a square grid with a cold edge. In each step every inner point becomes
// the mean of its four neighbours; the rows of a step are shared out, and all wait for its end.
//
// Question  what does a barrier per step cost, with rows of some microseconds between two of them,
//           and do workers keep the rows that are in their caches?
// Unit      ns of wall time per point and step, all workers together.
// Unfair    another kernel (all use relax() below) or leaves of other sizes (16 rows at most, but
//           for range algorithms, which choose), blocking over several steps, filling the grids or
//           freeing them inside the timed part.
// Sizes     HARRIER_BENCH_HEAT_N: 64, 512, official 2048 points along an edge;
//           HARRIER_BENCH_HEAT_STEPS: 10, 20, official 50.
#pragma once

#include "../common/contender.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

namespace bench::heat {

/// Rows that are not split any further.
inline constexpr std::size_t leaf_rows = 16;

/// Two grids of n by n inner points, row-major, an edge of zeroes around each.
class grids {
 public:
  explicit grids(std::size_t n) : n_(n), now_(elements()), next_(elements()), wave_(n + 2) {
    for (std::size_t i = 1; i <= n; ++i) wave_[i] = std::sin(angle() * static_cast<double>(i));
  }
  std::size_t rows() const { return n_; }
  double bytes() const { return 2.0 * static_cast<double>(elements() * sizeof(double)); }

  /// Starts from the grid's lowest wave, which keeps its shape under the iteration.
  void restart() {
    for (std::size_t row = 1; row <= n_; ++row) {
      for (std::size_t column = 1; column <= n_; ++column) {
        now_[row * (n_ + 2) + column] = wave_[row] * wave_[column];
      }
    }
  }
  /// Computes the inner rows begin <= row < end of the next step, counted from 0. Not inlined:
  /// every contender runs the same machine code.
  [[gnu::noinline]] void relax(std::size_t begin, std::size_t end) {
    const std::size_t stride = n_ + 2;
    for (std::size_t row = begin + 1; row <= end; ++row) {
      const double* at = now_.data() + row * stride;
      double* to = next_.data() + row * stride;
      for (std::size_t i = 1; i <= n_; ++i) {
        to[i] = 0.25 * ((at[i - 1] + at[i + 1]) + (at[i - stride] + at[i + stride]));
      }
    }
  }
  void end_step() { std::swap(now_, next_); }

  /// Each step multiplies the wave by the cosine of its angle per point: the exact answer is known.
  bool is_result(std::size_t steps) const {
    const double factor = std::pow(std::cos(angle()), static_cast<double>(steps));
    for (std::size_t row = 0; row < n_ + 2; ++row) {
      for (std::size_t column = 0; column < n_ + 2; ++column) {
        const double wanted = factor * wave_[row] * wave_[column];
        if (std::abs(now_[row * (n_ + 2) + column] - wanted) > 1e-12) return false;
      }
    }
    return true;
  }

 private:
  std::size_t elements() const { return (n_ + 2) * (n_ + 2); }
  double angle() const { return std::numbers::pi / static_cast<double>(n_ + 1); }

  std::size_t n_;
  std::vector<double> now_, next_;
  std::vector<double> wave_;  // one half of a sine, zero at both edges
};

/// A contender's measurement; iterate(grids, steps) relaxes all rows and ends the step, so often.
template <class F>
measurement measure(F iterate) {
  const std::size_t n = parameter("HEAT_N", 64, 512, 2048);
  const std::size_t steps = parameter("HEAT_STEPS", 10, 20, 50);
  auto both = std::make_shared<grids>(n);
  auto round = [both, steps, iterate = std::move(iterate)] {
    both->restart();
    const duration taken = timed([&] { iterate(*both, steps); });
    check(both->is_result(steps), "heat");
    return taken;
  };
  return measurement(static_cast<double>(n * n * steps), std::move(round))
      .with_payload(both->bytes());
}

}  // namespace bench::heat
