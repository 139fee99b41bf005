// SPDX-License-Identifier: Apache-2.0
// matmul as harrier coroutines with oneTBB as the scheduler: three quarters are oneTBB tasks that
// resume a coroutine each, the fourth is awaited in place, twice (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
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
    on_tbb::forked<void> top_left(multiply(a, b, c, h, stride));
    on_tbb::forked<void> top_right(multiply(a, b + h, c + h, h, stride));
    on_tbb::forked<void> bottom_left(multiply(a + d, b, c + d, h, stride));
    auto bottom_right = multiply(a + d, b + h, c + d + h, h, stride);
    co_await bottom_right;
    co_await bottom_left;
    co_await top_right;
    co_await top_left;
  }
  on_tbb::forked<void> top_left(multiply(a + h, b + d, c, h, stride));
  on_tbb::forked<void> top_right(multiply(a + h, b + d + h, c + h, h, stride));
  on_tbb::forked<void> bottom_left(multiply(a + d + h, b + d, c + d, h, stride));
  auto bottom_right = multiply(a + d + h, b + d + h, c + d + h, h, stride);
  co_await bottom_right;
  co_await bottom_left;
  co_await top_right;
  co_await top_left;
}

const contender on_tbb_tasks("matmul", "harrier_on_tbb", worker_counts(), [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler](const int* a, const int* b, int* c, int n, int stride) {
    scheduler->run(multiply(a, b, c, n, stride));
  });
});

}  // namespace
}  // namespace bench::matmul
