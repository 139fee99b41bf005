// SPDX-License-Identifier: Apache-2.0
// mass_cancel as exceptions that are thrown, stored, and rethrown by each level above.
#include "config.hpp"

#include <exception>

namespace bench::mass_cancel {
namespace {

class cancelled {};

[[gnu::noinline]] std::exception_ptr end_below(std::uint64_t levels) {
  try {
    if (levels == 1) throw cancelled();
    std::rethrow_exception(end_below(levels - 1));
  } catch (...) {  // given to the level above
    return std::current_exception();
  }
}

template <std::uint64_t levels>
measurement prepare(std::size_t) {
  return measurement(static_cast<double>(size()), [] {
    return timed([] {
      for (std::uint64_t n = size(); n > 0; --n) {
        check(end_below(levels) != nullptr, "mass_cancel");
      }
    });
  });
}

const contender flat("mass_cancel", "serial", {1}, prepare<1>);
const contender chained("mass_cancel_deep", "serial", {1}, prepare<deep>);

}  // namespace
}  // namespace bench::mass_cancel
