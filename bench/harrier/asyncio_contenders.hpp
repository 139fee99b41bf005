// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comparison.hpp"

#include <string>
#include <vector>

namespace harrier::cli {

/// What the same contenders cost in Python, or why that is not known.
class asyncio_figures {
 public:
  asyncio_figures() {}

  std::vector<contender_figures> contenders;  // in the order of all_contenders()
  std::string python_version;
  std::string problem;  // empty, or a sentence for the user
};

/// Runs the contenders under `python3`, which must be 3.11 or later. Blocks until it is done.
asyncio_figures measure_asyncio(const comparison_plan& plan);

}  // namespace harrier::cli
