// SPDX-License-Identifier: Apache-2.0
// The ported asyncio cases in the simulation: on a runtime with 1 and with 4 workers, under many seeds
// each. What a case does on a runner of its own, outside run_case, is not simulated.
#include <harrier/simulation.hpp>

#include "sim/seeds.hpp"
#include "unit/asyncio/case.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <string_view>

namespace harrier::test {

namespace {

struct left_out {
  std::string_view name;
  const char* reason;
};

constexpr const char* two_queues =
    "a worker keeps callbacks, which no thief may take, apart from tasks: it takes turns between "
    "the "
    "two queues, not in the order of one";

constexpr std::array left_out_cases{
    left_out{"test_base_events.test_call_soon", two_queues},
    left_out{"test_base_events.test__run_once_schedule_handle", two_queues},
};

/// Why the case that runs is not simulated; null: it is.
const char* reason_to_leave_out() {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  const std::string name = std::string(test.test_suite_name()) + "." + test.name();
  const auto* found = std::find_if(left_out_cases.begin(), left_out_cases.end(),
                                   [&](const left_out& each) { return each.name == name; });
  return found != left_out_cases.end() ? found->reason : nullptr;
}

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
  if (const char* reason = reason_to_leave_out()) {
    std::cout << "not simulated: " << reason << '\n';
    return;
  }
  run_simulated(body, 1);
  if (needs == turns::any) {
    run_simulated(body, 4);
  }
}

}  // namespace harrier::test
