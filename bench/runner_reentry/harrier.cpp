// SPDX-License-Identifier: Apache-2.0
// runner_reentry on one runner, entered over and over.
#include <harrier/runner.hpp>

#include "config.hpp"

#include <memory>

namespace bench::runner_reentry {
namespace {

harrier::task<std::uint64_t> value(std::uint64_t i) { co_return i; }

const contender ours("runner_reentry", "harrier", {1}, [](std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t i) { return runner->run(value(i)); });
});

}  // namespace
}  // namespace bench::runner_reentry
