// SPDX-License-Identifier: Apache-2.0
// matmul as harrier coroutines: three quarters of the product forked, the fourth awaited in place,
// twice.
#include <harrier/runtime.hpp>

#include "config.hpp"

namespace bench::matmul {
namespace {

harrier::task<> multiply(const int* a, const int* b, int* c, int n, int stride) {
  if (n <= block) {
    multiply_block(a, b, c, n, stride);
    co_return;
  }
  const int h = n / 2;  // half
  const int d = h * stride;  // half the rows down
  {
    auto top_left = co_await harrier::fork(multiply(a, b, c, h, stride));
    auto top_right = co_await harrier::fork(multiply(a, b + h, c + h, h, stride));
    auto bottom_left = co_await harrier::fork(multiply(a + d, b, c + d, h, stride));
    auto bottom_right = multiply(a + d, b + h, c + d + h, h, stride);
    co_await bottom_right;
    co_await bottom_left;
    co_await top_right;
    co_await top_left;
  }
  auto top_left = co_await harrier::fork(multiply(a + h, b + d, c, h, stride));
  auto top_right = co_await harrier::fork(multiply(a + h, b + d + h, c + h, h, stride));
  auto bottom_left = co_await harrier::fork(multiply(a + d + h, b + d, c + d, h, stride));
  auto bottom_right = multiply(a + d + h, b + d + h, c + d + h, h, stride);
  co_await bottom_right;
  co_await bottom_left;
  co_await top_right;
  co_await top_left;
}

const contender ours("matmul", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](const int* a, const int* b, int* c, int n, int stride) {
    runtime->run(multiply(a, b, c, n, stride));
  });
});

}  // namespace
}  // namespace bench::matmul
