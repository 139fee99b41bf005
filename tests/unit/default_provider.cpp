// SPDX-License-Identifier: Apache-2.0
// HARRIER_TEST_PROVIDER=arena: every runtime of the tests takes its threads from oneTBB, unless its
// test says otherwise. ctest runs the suites that use a runtime both ways (unit_arena.*).
#include <harrier/runtime_options.hpp>

#include <cstdlib>
#include <string_view>

namespace {

[[maybe_unused]] const bool provider_is_set = [] {
  const char* named = std::getenv("HARRIER_TEST_PROVIDER");
  if (named != nullptr && std::string_view(named) == "arena") {
    harrier::detail::default_provider = harrier::thread_provider::task_arena;
  }
  return true;
}();

}  // namespace
