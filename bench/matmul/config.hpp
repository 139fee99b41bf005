// SPDX-License-Identifier: Apache-2.0
// matmul: product of two square int matrices by recursive quartering; blocks of 32 are multiplied
// by a triple loop.
//
// Question  does the scheduler stay out of the way when tasks are coarse (some microseconds), and
//           does it keep a cache-friendly order?
// Unit      ns of wall time per multiply-add, all workers together.
// Unfair    another kernel or block size (all use multiply_block() below), filling the matrices or
//           freeing them inside the timed part.
// Sizes     HARRIER_BENCH_MATMUL: 128, 512, official 2048; a power of two from 32.
#pragma once

#include "../common/contender.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <vector>

namespace bench::matmul {

inline constexpr int block = 32;

/// c += a * b for blocks of n by n inside matrices whose rows are `stride` apart. Not inlined:
/// every contender runs the same machine code, not what its surroundings make the compiler think
/// of.
[[gnu::noinline]] inline void multiply_block(const int* a, const int* b, int* c, int n,
                                             int stride) {
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < n; ++k) {
      for (int j = 0; j < n; ++j) c[i * stride + j] += a[i * stride + k] * b[k * stride + j];
    }
  }
}

/// The matrices of one contender. a's rows and b's columns are such that every element of the
/// product is known and most differ.
class matrices {
 public:
  explicit matrices(int n) : n_(n), a_(elements()), b_(elements()), c_(elements()) {
    for (std::size_t i = 0; i < elements(); ++i) {
      a_[i] = row_factor(i);
      b_[i] = column_factor(i);
    }
  }
  int size() const { return n_; }
  const int* a() const { return a_.data(); }
  const int* b() const { return b_.data(); }
  int* c() { return c_.data(); }
  void clear() { std::fill(c_.begin(), c_.end(), 0); }
  bool is_product() const {
    for (std::size_t i = 0; i < elements(); ++i) {
      if (c_[i] != n_ * row_factor(i) * column_factor(i)) return false;
    }
    return true;
  }
  double bytes() const { return 3.0 * static_cast<double>(elements() * sizeof(int)); }

 private:
  std::size_t elements() const {
    return static_cast<std::size_t>(n_) * static_cast<std::size_t>(n_);
  }
  int row_factor(std::size_t i) const {
    return static_cast<int>(i / static_cast<std::size_t>(n_) % 7);
  }
  int column_factor(std::size_t i) const {
    return static_cast<int>(i % static_cast<std::size_t>(n_) % 11);
  }

  int n_;
  std::vector<int> a_, b_, c_;
};

inline int size() {
  const std::uint64_t n = parameter("MATMUL", 128, 512, 2048);
  check(n >= block && n <= 16384 && std::has_single_bit(n),
        "HARRIER_BENCH_MATMUL must be a power of two from 32");
  return static_cast<int>(n);
}

/// A contender's measurement, given how it adds the product of a and b to c.
template <class F>
measurement measure(F multiply) {
  auto m = std::make_shared<matrices>(size());
  const double n = m->size();
  auto round = [m, multiply = std::move(multiply)] {
    m->clear();
    const duration taken = timed([&] { multiply(m->a(), m->b(), m->c(), m->size(), m->size()); });
    check(m->is_product(), "matmul");
    return taken;
  };
  return measurement(n * n * n, std::move(round)).with_payload(m->bytes());
}

}  // namespace bench::matmul
