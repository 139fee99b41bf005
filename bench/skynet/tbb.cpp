// SPDX-License-Identifier: Apache-2.0
// skynet on raw oneTBB as the public suites write it: a task_group of ten per node, the tenth run
// by run_and_wait.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

#include <array>
#include <memory>

namespace bench::skynet {
namespace {

std::uint64_t skynet(std::uint64_t first, std::uint64_t count) {
  if (count == 1) return first;
  const std::uint64_t part = count / 10;
  std::array<std::uint64_t, 10> sums;
  tbb::task_group group;
  for (std::size_t i = 0; i < 9; ++i) {
    group.run([=, &sums] { sums[i] = skynet(first + i * part, part); });
  }
  group.run_and_wait([=, &sums] { sums[9] = skynet(first + 9 * part, part); });
  std::uint64_t sum = 0;
  for (const std::uint64_t each : sums) sum += each;
  return sum;
}

const contender raw_tbb("skynet", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](std::uint64_t first, std::uint64_t count) {
    return arena->execute([=] { return skynet(first, count); });
  });
});

}  // namespace
}  // namespace bench::skynet
