// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/foreign_awaiter.hpp>

namespace harrier::detail {

wake_proxy wake_proxy::of(suspension* node) {
  wake(*node);
  co_return;
}

}  // namespace harrier::detail
