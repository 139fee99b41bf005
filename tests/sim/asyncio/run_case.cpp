// SPDX-License-Identifier: Apache-2.0
// The ported asyncio cases in the simulation: on a runtime with 1 and with 4 workers, under many seeds
// each. What a case does on a runner of its own, outside run_case, is not simulated.
//
// A case that relies on the turns of a single loop is simulated on a lone runner. A worker, even the only
// one, has no such turns: it keeps callbacks, which no thief may take, apart from tasks, and alternates
// between the two queues. Most of these cases pass there all the same; those that count on a callback
// before the task that yielded do not (test_call_soon, test__run_once_schedule_handle, test_callbacks_*).
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
  if (needs == turns::in_order) {
    for_each_seed(scaled(20, 5), "a lone runner", [&] {
      virtual_clock time;
      runner alone(on(time));
      alone.run(body());
    });
    return;
  }
  run_simulated(body, 1);
  run_simulated(body, 4);
}

}  // namespace harrier::test
