// SPDX-License-Identifier: Apache-2.0
// yield as harrier coroutines with oneTBB as the scheduler: a yield hands the coroutine back to
// oneTBB as a new task (common/on_tbb.hpp).
#include "../common/on_tbb.hpp"
#include "config.hpp"

namespace bench::yield {
namespace {

harrier::task<std::uint64_t> yielding_index(std::uint64_t i) {
  co_await on_tbb::reschedule();
  co_return i;
}

harrier::task<> yield_often(std::uint64_t times) {
  for (; times > 0; --times) co_await on_tbb::reschedule();
}

const contender crowd("yield", "harrier_on_tbb", worker_counts(), [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure([scheduler](std::uint64_t n) {
    return scheduler->within([n] {
      auto results = make_results(n);
      for (std::uint64_t i = 0; i < n; ++i) {
        on_tbb::running_group->run([i, to = results.get()] {
          on_tbb::start_here([i, to] { return on_tbb::carry(yielding_index(i), to + i); });
        });
      }
      on_tbb::running_group->wait();
      return results;
    });
  });
});

const contender alone("yield_alone", "harrier_on_tbb", {1}, [](std::size_t workers) {
  auto scheduler = std::make_shared<on_tbb::scheduler>(workers);
  return measure_alone([scheduler](std::uint64_t n) { scheduler->run(yield_often(n)); });
});

}  // namespace
}  // namespace bench::yield
