// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "contenders.hpp"

#include <string>
#include <vector>

namespace harrier::cli {

/// The figures as a table, 80 columns wide, with a bar for each as long as the logarithm of its
/// time.
std::string comparison_table(const std::string& title, const std::vector<contender_figures>& rows);

}  // namespace harrier::cli
