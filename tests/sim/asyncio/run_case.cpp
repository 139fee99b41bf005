// SPDX-License-Identifier: Apache-2.0
// The ported asyncio cases in the simulation: on a runtime with 1 and with 4 workers, under many seeds
// each. What a case does on a runner of its own, outside run_case, is not simulated.
//
// A case that relies on tasks taking turns on one loop is simulated on one worker only; one that counts on
// a callback coming before the task that yielded after it, on a lone runner: a worker keeps callbacks, which
// no thief may take, apart from tasks, and alternates between the two queues.
#include <harrier/simulation.hpp>

#include "sim/seeds.hpp"
#include "unit/asyncio/case.hpp"

#include <string>

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
  if (needs == turns::of_a_runner) {
    for_each_seed(scaled(20, 5), "a lone runner", [&] {
      virtual_clock time;
      runner alone(on(time));
      alone.run(body());
    });
    return;
  }
  run_simulated(body, 1);
  if (needs == turns::any) {
    run_simulated(body, 4);
  }
}

}  // namespace harrier::test
