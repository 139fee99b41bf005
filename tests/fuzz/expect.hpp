// SPDX-License-Identifier: Apache-2.0
// How a target says that something is wrong: a fuzzer takes an abort for a finding.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace harrier::fuzz {

inline void expect(bool right, const std::string& otherwise) {
  if (right) return;
  std::fprintf(stderr, "fuzz: %s\n", otherwise.c_str());
  std::abort();
}

}  // namespace harrier::fuzz
