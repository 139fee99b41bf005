// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/completion_recorder.hpp>

namespace harrier::detail {

completion_recorder::~completion_recorder() = default;  // here, so that there is one vtable

}  // namespace harrier::detail
