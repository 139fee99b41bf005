// SPDX-License-Identifier: Apache-2.0
// The ported asyncio cases in the simulation: on a runtime with 1 and with 4 workers, under many seeds
// each. What a case does on a runner of its own, outside run_case, is not simulated.
//
//   HARRIER_SEED=N        replays one seed
//   HARRIER_SIM_SEEDS=N   how many seeds for each number of workers
#include <harrier/simulation.hpp>

#include "sim/seeds.hpp"
#include "unit/asyncio/case.hpp"

namespace harrier::test {

namespace {

void run_simulated(task<> (*body)(), std::size_t workers) {
  for_each_seed(scaled(100, 20), std::to_string(workers) + " workers", [&] {
    virtual_clock time;
    runtime_options options;
    options.workers = workers;
    options.time = &time;
    runtime rt(std::move(options));
    rt.run(body());
  });
}

}  // namespace

void run_case(task<> (*body)(), turns needs) {
  run_simulated(body, 1);
  if (needs == turns::any) {
    run_simulated(body, 4);
  }
}

}  // namespace harrier::test
