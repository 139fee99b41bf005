// SPDX-License-Identifier: Apache-2.0
// batch_stream as oneTBB's pipeline: a filter that counts, one that runs items side by side, and one
// that adds up; 4096 tokens.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <benchmark/benchmark.h>
#include <tbb/parallel_pipeline.h>

#include <memory>

namespace bench::batch_stream {
namespace {

[[gnu::noinline]] std::uint64_t item(std::uint64_t i) {
  benchmark::DoNotOptimize(i);
  return i;
}

std::uint64_t run_pipeline(std::uint64_t n) {
  std::uint64_t next = 0;
  std::uint64_t sum = 0;
  auto count = [&](tbb::flow_control& control) -> std::uint64_t {
    if (next == n) {
      control.stop();
      return 0;
    }
    return next++;
  };
  auto add = [&](std::uint64_t result) { sum += result; };
  tbb::parallel_pipeline(
      window,
      tbb::make_filter<void, std::uint64_t>(tbb::filter_mode::serial_in_order, count) &
          tbb::make_filter<std::uint64_t, std::uint64_t>(tbb::filter_mode::parallel, &item) &
          tbb::make_filter<std::uint64_t, void>(tbb::filter_mode::serial_out_of_order, add));
  return sum;
}

const contender pipeline("batch_stream", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure(
      [arena](std::uint64_t n) { return arena->execute([n] { return run_pipeline(n); }); });
});

}  // namespace
}  // namespace bench::batch_stream
