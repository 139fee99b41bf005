// SPDX-License-Identifier: Apache-2.0
// yield as the least that a scheduler does: every item goes through a queue once, on one thread.
#include "config.hpp"

#include <benchmark/benchmark.h>

#include <deque>

namespace bench::yield {
namespace {

const contender crowd("yield", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    auto results = make_results(n);
    std::deque<std::uint64_t> ready;
    for (std::uint64_t i = 0; i < n; ++i) ready.push_back(i);
    for (; !ready.empty(); ready.pop_front()) results[ready.front()] = ready.front();
    return results;
  });
});

const contender alone("yield_alone", "serial", {1}, [](std::size_t) {
  return measure_alone([](std::uint64_t n) {
    std::deque<std::uint64_t> ready;
    for (std::uint64_t i = 0; i < n; ++i) {
      ready.push_back(i);
      benchmark::DoNotOptimize(ready.front());
      ready.pop_front();
    }
  });
});

}  // namespace
}  // namespace bench::yield
