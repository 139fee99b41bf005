// SPDX-License-Identifier: Apache-2.0
// loop_creation as harrier's one-shot run(): a scoped runner and one run.
#include <harrier/runner.hpp>

#include "config.hpp"

namespace bench::loop_creation {
namespace {

harrier::task<std::uint64_t> value(std::uint64_t i) { co_return i; }

const contender ours("loop_creation", "harrier", {1}, [](std::size_t) {
  return measure([](std::uint64_t i) { return harrier::run(value(i)); });
});

}  // namespace
}  // namespace bench::loop_creation
