// SPDX-License-Identifier: Apache-2.0
// Where a task waits, as a test expects it: a library built with HARRIER_DOCTOR=OFF notes no lines.
#pragma once

#include <harrier/detail/config.hpp>

#include <initializer_list>
#include <source_location>
#include <vector>

namespace harrier::test {

inline std::vector<unsigned> lines_of(const std::vector<std::source_location>& places) {
  std::vector<unsigned> lines;
  for (const std::source_location& each : places) lines.push_back(each.line());
  return lines;
}

inline std::vector<unsigned> lines_if_noted(std::initializer_list<unsigned> lines) {
  return detail::doctor_is_on ? std::vector<unsigned>(lines) : std::vector<unsigned>();
}

}  // namespace harrier::test
