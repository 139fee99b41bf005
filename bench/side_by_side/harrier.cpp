// SPDX-License-Identifier: Apache-2.0
// side_by_side with a runtime whose slots take their threads from oneTBB (harrier, alone), and with
// one that has threads of its own beside oneTBB's (harrier_own_threads).
#include <harrier/runtime.hpp>

#include "../common/tbb_arena.hpp"
#include "config.hpp"

#include <benchmark/benchmark.h>
#include <tbb/parallel_for.h>

#include <memory>

namespace bench::side_by_side {
namespace {

enum class order { together, one_after_the_other };

harrier::task<> item(std::uint64_t i) {
  benchmark::DoNotOptimize(work(i));
  co_return;
}

class program {
 public:
  program(std::size_t workers, harrier::thread_provider provider)
      : arena_(workers), runtime_(options(workers, provider)) {}

  void run(std::uint64_t items, order how) {
    auto batch = runtime_.dispatch(items, item);
    if (how == order::one_after_the_other) batch.get();
    arena_.execute([items] {
      tbb::parallel_for(std::uint64_t{0}, items,
                        [](std::uint64_t i) { benchmark::DoNotOptimize(work(i)); });
    });
    if (how == order::together) batch.get();
  }
  double stand_ins() const { return static_cast<double>(runtime_.metrics().stand_ins); }

 private:
  static harrier::runtime_options options(std::size_t workers, harrier::thread_provider provider) {
    harrier::runtime_options chosen;
    chosen.workers = workers;
    chosen.provider = provider;
    return chosen;
  }

  tbb_arena arena_;
  harrier::runtime runtime_;
};

contender::prepare measure(harrier::thread_provider provider, order how) {
  return [provider, how](std::size_t workers) {
    auto both = std::make_shared<program>(workers, provider);
    const std::uint64_t items = size();
    return measurement(static_cast<double>(2 * items),
                       [both, items, how] { return timed([&] { both->run(items, how); }); })
        .with_counter("stand_ins", [both] { return both->stand_ins(); });
  };
}

const contender together("side_by_side", "harrier", worker_counts(),
                         measure(harrier::thread_provider::task_arena, order::together));
const contender alone("side_by_side", "alone", worker_counts(),
                      measure(harrier::thread_provider::task_arena, order::one_after_the_other));
const contender own_threads("side_by_side", "harrier_own_threads", worker_counts(),
                            measure(harrier::thread_provider::own_threads, order::together));

}  // namespace
}  // namespace bench::side_by_side
