// SPDX-License-Identifier: Apache-2.0
// yield on raw oneTBB: an item that gives way submits what is left of it as a new task.
#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <tbb/task_group.h>

namespace bench::yield {
namespace {

const contender crowd("yield", "tbb", worker_counts(), [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure([arena](std::uint64_t n) {
    return arena->execute([n] {
      auto results = make_results(n);
      tbb::task_group group;
      for (std::uint64_t i = 0; i < n; ++i) {
        group.run([i, &group, to = results.get()] { group.run([i, to] { to[i] = i; }); });
      }
      group.wait();
      return results;
    });
  });
});

class chain {
 public:
  chain(tbb::task_group& group, std::uint64_t length) : group_(group), left_(length) {}
  void step() {
    if (left_-- > 0) group_.run([this] { step(); });
  }

 private:
  tbb::task_group& group_;
  std::uint64_t left_;
};

const contender alone("yield_alone", "tbb", {1}, [](std::size_t workers) {
  auto arena = std::make_shared<tbb_arena>(workers);
  return measure_alone([arena](std::uint64_t n) {
    arena->execute([n] {
      tbb::task_group group;
      chain yields(group, n);
      yields.step();
      group.wait();
    });
  });
});

}  // namespace
}  // namespace bench::yield
