// SPDX-License-Identifier: Apache-2.0
// heat as harrier coroutines. harrier: rows halved, one half forked, the other awaited in place.
// harrier_batch: one batch for each step, a coroutine for each row.
#include <harrier/runtime.hpp>

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
  auto upper = co_await harrier::fork(relax(both, begin, middle));
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

const contender halving("heat", "harrier", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](grids& both, std::size_t steps) { runtime->run(iterate(both, steps)); });
});

harrier::task<> relax_row(grids& both, std::size_t row) {
  both.relax(row, row + 1);
  co_return;
}

const contender by_batch("heat", "harrier_batch", worker_counts(), [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](grids& both, std::size_t steps) {
    for (; steps > 0; --steps) {
      auto rows = runtime->dispatch(both.rows(), [&both](std::uint64_t row) {
        return relax_row(both, static_cast<std::size_t>(row));
      });
      rows.get();
      both.end_step();
    }
  });
});

}  // namespace
}  // namespace bench::heat
