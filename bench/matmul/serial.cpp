// SPDX-License-Identifier: Apache-2.0
// matmul as a plain recursive function on one thread: the floor.
#include "config.hpp"

namespace bench::matmul {
namespace {

void multiply(const int* a, const int* b, int* c, int n, int stride) {
  if (n <= block) return multiply_block(a, b, c, n, stride);
  const int h = n / 2;  // half
  const int d = h * stride;  // half the rows down
  multiply(a, b, c, h, stride);
  multiply(a, b + h, c + h, h, stride);
  multiply(a + d, b, c + d, h, stride);
  multiply(a + d, b + h, c + d + h, h, stride);
  multiply(a + h, b + d, c, h, stride);
  multiply(a + h, b + d + h, c + h, h, stride);
  multiply(a + d + h, b + d, c + d, h, stride);
  multiply(a + d + h, b + d + h, c + d + h, h, stride);
}

const contender serial("matmul", "serial", {1}, [](std::size_t) { return measure(multiply); });

}  // namespace
}  // namespace bench::matmul
