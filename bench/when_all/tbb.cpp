// SPDX-License-Identifier: Apache-2.0
// when_all as a task_group of oneTBB, whose tasks are functions.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

#include <array>
#include <memory>

namespace bench::when_all {
namespace {

measurement prepare(std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](std::uint64_t n) {
    std::uint64_t sum = 0;
    arena->execute([&] {
      for (std::uint64_t left = n; left > 0; --left) {
        std::array<std::uint64_t, width> values{};
        tbb::task_group group;
        for (std::uint64_t& each : values) group.run([&each] { each = 1; });
        group.wait();
        for (const std::uint64_t each : values) sum += each;
      }
    });
    return sum;
  });
}

const contender group("when_all", "tbb", worker_counts(), prepare);

}  // namespace
}  // namespace bench::when_all
