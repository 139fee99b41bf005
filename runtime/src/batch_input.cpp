// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/batch_input.hpp>

#include <string>

namespace harrier {

batch_input_failed::batch_input_failed(std::uint64_t position, const char* what)
    : std::runtime_error("the input of a batch failed at position " + std::to_string(position) +
                         ": " + what),
      position_(position) {}

}  // namespace harrier
