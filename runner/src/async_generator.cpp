// SPDX-License-Identifier: Apache-2.0
#include <harrier/async_generator.hpp>

namespace harrier {

generator_running::generator_running()
    : std::logic_error("the generator is already running for somebody") {}

generator_ignored_close::generator_ignored_close()
    : std::logic_error("the generator was closed, and went on to its next co_yield") {}

}  // namespace harrier
