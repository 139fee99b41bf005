// SPDX-License-Identifier: Apache-2.0
// heat as harrier coroutines with oneTBB as the scheduler: rows halved, one half a oneTBB task that
// resumes a coroutine, the other awaited in place (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::heat {
namespace {

// Here and below, the grids outlive every task: the round waits for the last step.
harrier::task<> relax(grids& both, std::size_t begin, std::size_t end) {
  if (end - begin <= leaf_rows) {
    both.relax(begin, end);
    co_return;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  on_tbb::forked<void> upper(relax(both, begin, middle));
  auto lower = relax(both, middle, end);
  co_await lower;
  co_await upper;
}

harrier::task<> iterate(grids& both, std::size_t steps) {
  for (; steps > 0; --steps) {
    auto step = relax(both, 0, both.rows());
    co_await step;
    both.end_step();
  }
}

const contender on_tbb_tasks("heat", "harrier_on_tbb", worker_counts(), [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure(
      [scheduler](grids& both, std::size_t steps) { scheduler->run(iterate(both, steps)); });
});

}  // namespace
}  // namespace bench::heat
