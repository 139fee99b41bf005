// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/batch_input.hpp>

#include <harrier/cancellation.hpp>

#include <exception>
#include <string>

namespace harrier {

batch_input_failed::batch_input_failed(std::uint64_t position, const char* what)
    : std::runtime_error("the input of a batch failed at position " + std::to_string(position) +
                         ": " + what),
      position_(position) {}

std::exception_ptr detail::input_failure(std::uint64_t position) {
  try {
    throw;
  } catch (const cancelled&) {  // not the input's own
    return std::current_exception();
  } catch (const std::exception& e) {
    return std::make_exception_ptr(batch_input_failed(position, e.what()));
  } catch (...) {  // not a std::exception: it has no text
    return std::make_exception_ptr(batch_input_failed(position, "an exception"));
  }
}

}  // namespace harrier
