// SPDX-License-Identifier: Apache-2.0
// matmul on raw oneTBB: the four quarters of the product by parallel_invoke, twice, because each
// quarter is the sum of two products.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/parallel_invoke.h>

namespace bench::matmul {
namespace {

void multiply(const int* a, const int* b, int* c, int n, int stride) {
  if (n <= block) return multiply_block(a, b, c, n, stride);
  const int h = n / 2;  // half
  const int d = h * stride;  // half the rows down
  tbb::parallel_invoke([=] { multiply(a, b, c, h, stride); },
                       [=] { multiply(a, b + h, c + h, h, stride); },
                       [=] { multiply(a + d, b, c + d, h, stride); },
                       [=] { multiply(a + d, b + h, c + d + h, h, stride); });
  tbb::parallel_invoke([=] { multiply(a + h, b + d, c, h, stride); },
                       [=] { multiply(a + h, b + d + h, c + h, h, stride); },
                       [=] { multiply(a + d + h, b + d, c + d, h, stride); },
                       [=] { multiply(a + d + h, b + d + h, c + d + h, h, stride); });
}

const contender raw_tbb("matmul", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](const int* a, const int* b, int* c, int n, int stride) {
    arena->execute([=] { multiply(a, b, c, n, stride); });
  });
});

}  // namespace
}  // namespace bench::matmul
