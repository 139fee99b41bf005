// SPDX-License-Identifier: Apache-2.0
// heat on raw oneTBB. tbb: rows halved by parallel_invoke, as the public suites write fork-join.
// tbb_parallel_for: the range algorithm, once for each step.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>

namespace bench::heat {
namespace {

void relax(grids& both, std::size_t begin, std::size_t end) {
  if (end - begin <= leaf_rows) return both.relax(begin, end);
  const std::size_t middle = begin + (end - begin) / 2;
  tbb::parallel_invoke([&, begin, middle] { relax(both, begin, middle); },
                       [&, middle, end] { relax(both, middle, end); });
}

/// A contender that computes the rows of a step with relax_all(grids).
template <class F>
contender::prepare by(F relax_all) {
  return [relax_all](std::size_t workers) {
    auto arena = std::make_shared<tbb_arena>(workers);
    return measure([arena, relax_all](grids& both, std::size_t steps) {
      arena->execute([&both, steps, relax_all] {
        for (std::size_t step = 0; step < steps; ++step) {
          relax_all(both);
          both.end_step();
        }
      });
    });
  };
}

const contender halving("heat", "tbb", worker_counts(),
                        by([](grids& both) { relax(both, 0, both.rows()); }));

const contender by_range("heat", "tbb_parallel_for", worker_counts(), by([](grids& both) {
                           using range = tbb::blocked_range<std::size_t>;
                           tbb::parallel_for(range(0, both.rows()), [&both](const range& rows) {
                             both.relax(rows.begin(), rows.end());
                           });
                         }));

}  // namespace
}  // namespace bench::heat
