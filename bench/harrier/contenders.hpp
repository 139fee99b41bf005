// SPDX-License-Identifier: Apache-2.0
// The ways to run many coroutines from ordinary code, in the order of the tutorial that inspired
// this project. Every coroutine only returns its index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace harrier::cli {

class contender {
 public:
  contender(std::string n, std::function<std::uint64_t(std::uint64_t)> r)
      : name(std::move(n)), run(std::move(r)) {}

  std::string name;
  /// Runs so many coroutines and returns how many event loops that created.
  /// Errors    std::runtime_error when the results do not add up.
  std::function<std::uint64_t(std::uint64_t coroutines)> run;
};

/// What a contender cost.
class contender_figures {
 public:
  contender_figures() {}

  std::string name;
  double ns_per_coroutine = 0;
  std::uint64_t loops_created = 0;
  std::uint64_t coroutines = 0;
};

std::vector<contender> all_contenders(std::size_t workers);

}  // namespace harrier::cli
